import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { hasStrongEtag, readStanding } from "../../src/pins/standing.ts";
import { NEW } from "./rows.ts";

const ETAG = '"v7"';

function read(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = { etag: ETAG },
): ReturnType<typeof readStanding> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readStanding({ status, headers: new Headers(headers), body: new TextEncoder().encode(text) });
}

describe("an ETag", () => {
  const rows: [string, boolean][] = [
    ['"7"', true],
    [`"${"x".repeat(128)}"`, true],
    ['"!#~"', true],
    [`"${"x".repeat(129)}"`, false],
    ['""', false],
    ['W/"7"', false],
    ['"7"x', false],
    ["7", false],
    ['"a b"', false],
    ['"a"b"', false],
    ["", false],
  ];
  test.each(rows)("%s is strong: %p", (etag, wanted) => {
    expect(hasStrongEtag(new Headers({ etag }))).toBe(wanted);
  });

  test("that is not there is none", () => {
    expect(hasStrongEtag(new Headers())).toBe(false);
  });
});

describe("the pin's own route", () => {
  test("shows where the pin stands", () => {
    expect(read(200, { image_digest: NEW, seq: 7 })).toStrictEqual({
      condition: { ifMatch: ETAG },
      digest: NEW,
      stops: [],
    });
  });

  test("shows that there is no pin, and what stops one", () => {
    const stops = [{ kind: "freeze", by: "alice" }];
    expect(read(404, { code: "pin_not_found", stops }, {})).toStrictEqual({
      condition: { ifNoneMatch: "*" },
      digest: null,
      stops: [{ kind: "freeze", reason: "", by: "alice", digest: null }],
    });
  });

  test("shows each stop that is one, made inert", () => {
    const stops = [
      { kind: "ve\u001bto", reason: "bad\nbuild", by: 7, image_digest: NEW },
      { kind: 7 },
      "hold",
      null,
      { kind: "hold", image_digest: 7 },
    ];
    expect(read(200, { image_digest: NEW, stops })).toMatchObject({
      stops: [
        { kind: "ve to", reason: "bad build", by: "", digest: NEW },
        { kind: "hold", reason: "", by: "", digest: null },
      ],
    });
    expect(read(200, { image_digest: NEW, stops: { kind: "hold" } })).toMatchObject({ stops: [] });
  });

  const absent: [string, number, unknown, Record<string, string>][] = [
    ["a route that is not there", 404, "", {}],
    ["something else that is not there", 404, { code: "route_not_found" }, {}],
    ["another success", 206, { image_digest: NEW }, { etag: ETAG }],
    ["another success that calls itself no pin", 200, { code: "pin_not_found" }, { etag: ETAG }],
    ["a list", 200, [NEW], { etag: ETAG }],
    ["no ETag", 200, { image_digest: NEW }, {}],
    ["a weak ETag", 200, { image_digest: NEW }, { etag: 'W/"7"' }],
    ["no digest", 200, {}, { etag: ETAG }],
    ["a digest that is none", 200, { image_digest: "latest" }, { etag: ETAG }],
    ["a digest that is no text", 200, { image_digest: 7 }, { etag: ETAG }],
    ["a refusal", 403, "", {}],
    ["a refusal just below those of a server that fails", 499, "", {}],
  ];
  test.each(absent)(
    "with %s is that of a server without conditional writes",
    (_what, status, body, headers) => {
      expect(read(status, body, headers)).toBeNull();
    },
  );

  const failing: [number, string][] = [
    [408, "deadline_passed"],
    [425, "rate_limited"],
    [429, "rate_limited"],
    [500, "server_failed"],
    [503, "server_failed"],
    [599, "server_failed"],
  ];
  test.each(failing)("that answers %i is tried again", (status, code) => {
    const failure = read(status, "why");
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code, serverText: "why" });
  });

  test("that a cache remembers is read again", () => {
    const remembered = read(200, { image_digest: NEW }, { etag: ETAG, age: "7" });
    expect(remembered).toMatchObject({ code: "answer_cached" });
  });
});
