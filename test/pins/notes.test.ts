import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { fitNotes } from "../../src/pins/notes.ts";
import { refused } from "./refused.ts";

const MOST = LIMITS.notesChars;
const STAMP = "[ci-pin-provenance v1 run=7]";

describe("notes", () => {
  const kept: [string, string][] = [
    ["that are short", "released by hand"],
    ["that are just short enough", "x".repeat(MOST)],
    ["of characters outside the first plane, each of which is one", "😀".repeat(MOST)],
    ["with a stamp", `released ${STAMP}`],
  ];
  test.each(kept)("%s stay", (_what, text) => {
    expect(fitNotes(text)).toBe(text);
  });

  test("are one line", () => {
    expect(fitNotes("a\nb")).toBe("a b");
  });

  test("that are too long are cut, and say so", () => {
    expect(fitNotes("x".repeat(MOST + 1))).toBe(`${"x".repeat(MOST - 1)}…`);
  });

  const wholes: [string, string, string][] = [
    ["at the end", "x".repeat(MOST), ""],
    ["at the beginning", "", "x".repeat(MOST)],
    ["in between", "x".repeat(MOST), "y"],
  ];
  test.each(wholes)("lose prose and never their stamp: %s", (_what, before, after) => {
    const notes = fitNotes(`${before}${STAMP}${after}`);
    expect(notes).toEndWith(`x… ${STAMP}`);
    expect(Array.from(notes)).toHaveLength(MOST);
  });

  test("keep a stamp that says nothing but its version", () => {
    expect(fitNotes(`${"x".repeat(MOST)}[ci-pin-provenance v1]`)).toEndWith("x… [ci-pin-provenance v1]");
  });

  const stampOf = (length: number): string => `[ci-pin-provenance v1 ${"s".repeat(length - 23)}]`;

  test("may be a stamp and hardly anything else", () => {
    const stamp = stampOf(MOST - 2);
    expect(fitNotes(`${"x".repeat(40)}${stamp}`)).toBe(`… ${stamp}`);
  });

  test("whose stamp is too long are refused", () => {
    const failure = refused(() => fitNotes(`xx${stampOf(MOST - 1)}`));
    expect([failure.code, failure.message]).toEqual([
      "invalid_value",
      `the stamp in --notes has ${MOST - 1} characters; wanted at most ${MOST - 2}`,
    ]);
  });

  const none: [string, string][] = [
    ["without a number of its version", "[ci-pin-provenance vx]"],
    ["that never ends", "[ci-pin-provenance v1 run=7 "],
    ["with another name", "[ci-pin v1]"],
  ];
  test.each(none)("know a stamp %s for none", (_what, text) => {
    const notes = fitNotes(`${text}${"x".repeat(MOST)}`);
    expect(notes).toBe(`${text}${"x".repeat(MOST - 1 - text.length)}…`);
  });
});
