import { describe, expect, test } from "bun:test";
import { announcedLength, continues, parseContentRange, validatorOf } from "../../src/stores/byte-range.ts";
import { GatewayStore } from "../../src/stores/http.ts";
import type { Resume } from "../../src/stores/store.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { reading } from "./reading.ts";

const resume: Resume = { offset: 100, validator: { kind: "etag", text: '"1"' } };

describe("a content range", () => {
  const cases: [string | null, ReturnType<typeof parseContentRange>][] = [
    ["bytes 100-199/200", { first: 100, last: 199, length: 200 }],
    ["bytes 0-0/*", { first: 0, last: 0, length: null }],
    ["bytes 5-4/200", null],
    ["bytes 100-200/200", null],
    ["bytes */200", null],
    ["items 1-2/3", null],
    ["bytes 1-2/3, 4-5/6", null],
    ["bytes 99999999999999999999-99999999999999999999/*", null],
    [null, null],
  ];
  test.each(cases)("%p", (text, wanted) => {
    expect(parseContentRange(text)).toEqual(wanted);
  });
});

describe("an answer with the rest", () => {
  const cases: [Record<string, string>, boolean][] = [
    [{ "content-range": "bytes 100-199/200" }, true],
    [{ "content-range": "bytes 100-199/200", etag: '"1"' }, true],
    [{ "content-range": "bytes 100-199/200", etag: '"2"' }, false],
    [{ "content-range": "bytes 100-199/200", etag: 'W/"1"' }, false],
    [{ "content-range": "bytes 100-199/*" }, true],
    [{ "content-range": "bytes 100-150/200" }, false],
    [{ "content-range": "bytes 99-199/200" }, false],
    [{ "content-range": "bytes 101-199/200" }, false],
    [{}, false],
  ];
  test.each(cases)("%p", (headers, wanted) => {
    expect(continues(new Headers(headers), resume)).toBe(wanted);
  });
});

describe("a validator", () => {
  const [changed, later] = ["Fri, 20 Nov 2026 08:00:00 GMT", "Sat, 21 Nov 2026 08:00:00 GMT"];
  const cases: [Record<string, string>, string | null][] = [
    [{ etag: '"a"' }, '"a"'],
    [{ etag: '""' }, null],
    [{ etag: 'W/"a"' }, null],
    [{ etag: "a" }, null],
    [{ etag: '"a"', "last-modified": changed, date: later }, '"a"'],
    [{ etag: 'W/"a"', "last-modified": changed, date: later }, null],
    [{ "last-modified": changed, date: later }, changed],
    [{ "last-modified": changed, date: changed }, null],
    [{ "last-modified": changed }, null],
    [{ "last-modified": "yesterday", date: later }, null],
    [{ etag: '"a"', "accept-ranges": "none" }, null],
    [{ etag: '"a"', "accept-ranges": "bytes" }, '"a"'],
    [{}, null],
  ];
  test.each(cases)("of %p", (headers, wanted) => {
    expect(validatorOf(new Headers(headers))?.text ?? null).toBe(wanted);
  });
});

test.each([
  ["12", 12],
  ["-1", null],
  ["1e3", null],
  ["", null],
] as [string, number | null][])("the length %p", (text, wanted) => {
  expect(announcedLength(new Headers({ "content-length": text }))).toBe(wanted);
});

test("the gateway is never asked for a part", async () => {
  await using server = await scriptedServer({ "POST /x": { body: "whole" } });
  const stream = await new GatewayStore(new URL(`${server.url}/x`), "grant", {}).open(
    reading("x", { resume }),
  );
  expect([stream.offset, stream.validator, server.requests[0]?.headers["range"]]).toEqual([
    0,
    null,
    undefined,
  ]);
});
