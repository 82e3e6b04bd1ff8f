import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { fromBase64, fromHex, fromHexOrBase64, toBase64, toHex } from "../../src/base/encoding.ts";

const bytes = fc.uint8Array({ maxLength: 100 });
const ALPHABETS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_= \n*".split("");

/** The four spellings of base64: both alphabets, with padding and without. */
function spellings(value: Uint8Array): string[] {
  const standard = toBase64(value);
  const url = standard.replaceAll("+", "-").replaceAll("/", "_");
  return [standard, url].flatMap((text) => [text, text.replace(/=+$/u, "")]);
}

test("bytes come back from hex and from each spelling of base64", () => {
  fc.assert(
    fc.property(bytes, (value) => {
      expect(fromHex(toHex(value))).toEqual(value);
      expect(fromHexOrBase64(toHex(value).toUpperCase())).toEqual(value);
      for (const text of spellings(value)) expect(fromBase64(text)).toEqual(value);
    }),
  );
});

test("whatever is taken as base64 is one of the four spellings of its bytes", () => {
  const text = fc.array(fc.constantFrom(...ALPHABETS), { maxLength: 12 }).map((all) => all.join(""));
  fc.assert(
    fc.property(text, (candidate) => {
      const value = fromBase64(candidate);
      if (value !== null) expect(spellings(value)).toContain(candidate);
    }),
    { numRuns: 5000 },
  );
});

test("whatever is taken as hex is the one spelling of its bytes", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEFg ".split("")), maxLength: 8 });
  fc.assert(
    fc.property(text, (candidate) => {
      const value = fromHex(candidate);
      if (value === null) expect(candidate).not.toMatch(/^(?:[0-9a-f]{2})*$/u);
      else expect(toHex(value)).toBe(candidate);
    }),
    { numRuns: 2000 },
  );
});
