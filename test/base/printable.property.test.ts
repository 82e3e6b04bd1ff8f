import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { printable, quoted } from "../../src/base/printable.ts";

const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom(
    ":",
    "::",
    "::error::",
    "::error x=",
    "#",
    "##",
    "##[",
    "vso[",
    "teamcity[",
    "section_",
    "start:",
    "end:",
    "\n",
    "\u001b[2J",
    "\u202e",
    "\u2028",
    "\u200b",
    "\u0085",
    " ",
    "a",
  ),
);
const hostile = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

/**
 * `\p{Cc}`: C0, C1 and DEL. `\p{Zl}` and `\p{Zp}`: line and
 * paragraph separators. Bidi_Control: what turns text around.
 */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const RUNNER = /##\[|##vso\[|##teamcity\[|section_(?:start|end):/iu;

test("no control character, no line break, no turned text, no command of a runner", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(CONTROL);
      expect(shown).not.toMatch(RUNNER);
      // A runner obeys `::` and the next `::` when a line begins with a name between them.
      expect(shown).not.toMatch(/^\s*::[a-z-]+(?: .*)?::/iu);
      expect(quoted(text)).not.toMatch(CONTROL);
    }),
    { numRuns: 5000 },
  );
});

test("the colons of a command are taken apart where others follow, and stay where none do", () => {
  const pattern = /::(?=[a-z_-].*::)/giu;
  const colons = fc.string({
    unit: fc.constantFrom(":", "::", "a", "_", "-", "K", "ſ", "1", " ", "\n"),
    maxLength: 30,
  });
  fc.assert(
    fc.property(colons, (text) => {
      expect(printable(text)).toBe(text.replaceAll(/\n+/gu, " ").replace(pattern, ": :").trim());
    }),
    { numRuns: 5000 },
  );
});

test("no longer than was asked for", () => {
  fc.assert(
    fc.property(hostile, fc.nat(20), (text, max) => {
      expect(Array.from(printable(text, max)).length).toBeLessThanOrEqual(max + 1);
    }),
  );
});

test("making inert what is inert changes nothing", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(printable(printable(text))).toBe(printable(text));
    }),
    { numRuns: 2000 },
  );
});

test("ordinary words stay as they are", () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9.,;/@=%+-]{1,12}$/u);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 10 }), (words) => {
      expect(printable(words.join(" "))).toBe(words.join(" "));
    }),
  );
});
