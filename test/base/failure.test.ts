import { describe, expect, test } from "bun:test";
import { asFailure, Failure } from "../../src/base/failure.ts";
import { interruption, throwIfStopped } from "../../src/base/interruption.ts";

describe("a failure", () => {
  test("is an error with a code, an exit code and a document", () => {
    const cause = new Error("inner");
    const failure = new Failure("not_found", "a", { hint: "b", serverText: "c", cause });
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({ name: "Failure", code: "not_found", message: "a", exitCode: 7, cause });
    expect(failure.toDocument()).toEqual({ code: "not_found", message: "a", hint: "b", server_text: "c" });
  });

  test("leaves out what it does not have", () => {
    expect(Object.keys(new Failure("not_found", "a").toDocument())).toEqual(["code", "message"]);
    expect(Object.keys(new Failure("not_found", "a", { hint: undefined }).toDocument())).toEqual([
      "code",
      "message",
    ]);
  });
});

describe("anything thrown becomes one", () => {
  test("a failure stays itself", () => {
    const failure = new Failure("row_missing", "a");
    expect(asFailure(failure)).toBe(failure);
  });

  const thrown: [string, unknown, string][] = [
    ["an error", new TypeError("a is not a function"), "unexpected: a is not a function"],
    ["an error of several lines", new Error("a\n::error::b"), "unexpected: a : :error::b"],
    ["an error without a message", new Error(), "unexpected: "],
    ["text", "a", "unexpected: a"],
    ["nothing", undefined, "unexpected: undefined"],
    ["an object", { a: 1 }, "unexpected: a value that is no error"],
    ["an object without a prototype", Object.create(null), "unexpected: a value that is no error"],
    ["a symbol", Symbol("a"), "unexpected: Symbol(a)"],
  ];
  test.each(thrown)("%s", (_what, value, message) => {
    const failure = asFailure(value);
    expect(failure).toMatchObject({ code: "internal_error", exitCode: 1, message, cause: value });
  });
});

describe("a stopped run", () => {
  const signals: [string, string, number][] = [
    ["SIGINT", "interrupted", 130],
    ["SIGTERM", "terminated", 143],
  ];
  test.each(signals)("by %s", (signal, code, exitCode) => {
    const stop = AbortSignal.abort(signal);
    const message = `stopped by ${signal} while waiting`;
    expect(interruption(stop, "waiting")).toMatchObject({ code, exitCode, message });
    expect(() => throwIfStopped(stop, "waiting")).toThrow(expect.objectContaining({ code, message }));
  });

  test("one that was not stopped goes on", () => {
    expect(() => throwIfStopped(new AbortController().signal, "waiting")).not.toThrow();
  });
});
