import { describe, expect, test } from "bun:test";
import { isPage, jsonObject, redirectOrigin, serverText } from "../../src/pins/server-text.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("an answer", () => {
  const pages: [string, boolean][] = [
    ["<html>", true],
    ["\ufeff <html>", true],
    [`${" ".repeat(63)}<html>`, true],
    [`${" ".repeat(64)}<html>`, false],
    ["see <b>there</b>", false],
    ['{"a":"<b>"}', false],
    ["", false],
  ];
  test.each(pages)("%j is a page: %p", (text, wanted) => {
    expect(isPage(bytes(text))).toBe(wanted);
  });

  test("is shown unless it is a page, or nothing", () => {
    expect(serverText(bytes("see <b>there</b>"))).toBe("see <b>there</b>");
    expect([serverText(bytes("<html>")), serverText(bytes(" "))]).toStrictEqual([undefined, undefined]);
  });

  test("is an object or is not read as one", () => {
    expect(jsonObject(bytes('{"code":"held"}'))).toEqual({ code: "held" });
    for (const text of ["", "[]", '["code"]', '"code"', "7", "null", "{", "<html>"])
      expect(jsonObject(bytes(text))).toBeNull();
  });
});

describe("a redirect", () => {
  const rows: [string | null, string][] = [
    ["https://a.example:8443/p?q=1#f", " (to https://a.example:8443)"],
    ["http://a.example/", " (to http://a.example)"],
    ["xhttps://a.example/", ""],
    ["ftp://a.example/", ""],
    ["/login", ""],
    [null, ""],
  ];
  test.each(rows)("to %j says%s", (location, wanted) => {
    expect(redirectOrigin(new Headers(location === null ? {} : { location }))).toBe(wanted);
  });
});
