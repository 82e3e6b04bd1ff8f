import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { printable, quoted } from "../../src/base/printable.ts";
import { Redactor } from "../../src/cli/redactor.ts";

/** Anything long enough; not of asterisks, which are what a masked secret looks like. */
const secret = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 80 }),
    fc.string({ unit: "binary", minLength: 8, maxLength: 40 }),
    fc.base64String({ minLength: 40, maxLength: 400 }),
    fc.stringMatching(/^[A-Za-z0-9_.~+/=!'()%-]{8,900}$/u),
  )
  .map((text) => text.trim())
  .filter((text) => text.length >= 8 && !text.includes("*") && !text.includes("…"));
const around = fc.string({ unit: "grapheme-ascii", maxLength: 30 });

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

const SPELLINGS: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => value,
  base64,
  "base64 without padding": (value) => base64(value).replace(/=+$/u, ""),
  base64url: (value) => Buffer.from(value).toString("base64url"),
  "URL-encoded": encodeURIComponent,
  "URL-encoded in lower case": (value) =>
    encodeURIComponent(value).replace(/%../gu, (escape) => escape.toLowerCase()),
  "a JSON string": (value) => JSON.stringify(value).slice(1, -1),
  "inside a message": (value) => printable(value, 10_000),
  "quoted inside a message": (value) => quoted(value, 10_000).slice(1, -1),
};

function cleanerOf(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const one of secrets) redactor.register(one);
  return redactor;
}

describe("a registered secret does not survive", () => {
  test.each(Object.entries(SPELLINGS))("%s", (_name, spell) => {
    fc.assert(
      fc.property(secret, secret, around, around, (value, other, before, after) => {
        const spelled = spell(value);
        fc.pre(spelled.length >= 8);
        const cleaned = cleanerOf(other, value).clean(`${before}${spelled}${after}`);
        expect(cleaned).not.toContain(spelled);
        expect(cleaned).toContain("***");
      }),
    );
  });

  test("in base64 of a text around it, as in a Basic header", () => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const cleaned = cleanerOf(value).clean(base64(`${before}${value}${after}`));
        expect(cleaned).toContain("***");
        const seen = Buffer.from(cleaned.replaceAll("*", ""), "base64").toString();
        expect(seen).not.toContain(value);
      }),
    );
  });

  test("cut in two by the ceiling of a message", () => {
    fc.assert(
      fc.property(secret, around, fc.integer({ min: 8, max: 600 }), (value, before, kept) => {
        const inert = printable(value, 10_000);
        fc.pre(inert.length > kept && inert === value && before.trim() === before);
        const cut = printable(`${before}${value}`, Array.from(before).length + kept);
        fc.pre(cut.endsWith("…") && cut.length >= before.length + kept);
        expect(cleanerOf(value).clean(cut)).not.toContain(value.slice(0, kept));
      }),
    );
  });
});

test("what was not registered stays as it is", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(cleanerOf().clean(text)).toBe(text);
      expect(cleanerOf("short").clean(text)).toBe(text);
    }),
  );
});
