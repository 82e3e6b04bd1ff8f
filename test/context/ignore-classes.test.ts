import { describe, expect, test } from "bun:test";
import { notNewline, perlClass, posixClass, unicodeClass } from "../../src/context/ignore-classes.ts";

const ASCII = Array.from({ length: 0x80 }, (_, codePoint) => codePoint);
const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const CAPITALS = SMALL.toUpperCase();
const SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const CONTROLS = ASCII.filter((codePoint) => codePoint < 0x20 || codePoint === 0x7f);

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0).sort((a, b) => a - b);
}

/** Outside of ASCII; no class of Perl or POSIX has one of them. */
const BEYOND = codePoints("\u0080\u0085\u00a0\u00e9\u0660\u2028\u{1d7d8}\ufffd");

describe("classes of ASCII have these members, and their complement all others", () => {
  test.each<[string, string]>([
    ["d", DIGITS],
    ["s", "\t\n\f\r "],
    ["w", `${DIGITS}${CAPITALS}${SMALL}_`],
  ])("\\%s", (letter, members) => {
    const [found, complement] = [perlClass(letter), perlClass(letter.toUpperCase())];
    const all = [...ASCII, ...BEYOND];
    expect(all.filter((codePoint) => found?.(codePoint))).toEqual(codePoints(members));
    expect(all.filter((codePoint) => complement?.(codePoint) === false)).toEqual(codePoints(members));
  });

  test.each<[string, string]>([
    ["alnum", `${DIGITS}${CAPITALS}${SMALL}`],
    ["alpha", `${CAPITALS}${SMALL}`],
    ["ascii", String.fromCodePoint(...ASCII)],
    ["blank", "\t "],
    ["cntrl", String.fromCodePoint(...CONTROLS)],
    ["digit", DIGITS],
    ["graph", `${DIGITS}${CAPITALS}${SMALL}${SIGNS}`],
    ["lower", SMALL],
    ["print", `${DIGITS}${CAPITALS}${SMALL}${SIGNS} `],
    ["punct", SIGNS],
    ["space", "\t\n\v\f\r "],
    ["upper", CAPITALS],
    ["word", `${DIGITS}${CAPITALS}${SMALL}_`],
    ["xdigit", `${DIGITS}ABCDEFabcdef`],
  ])("[:%s:]", (name, members) => {
    const [found, complement] = [posixClass(name), posixClass(`^${name}`)];
    const all = [...ASCII, ...BEYOND];
    expect(all.filter((codePoint) => found?.(codePoint))).toEqual(codePoints(members));
    expect(all.filter((codePoint) => complement?.(codePoint) === false)).toEqual(codePoints(members));
  });

  test.each(["", "^", "^^digit", "Digit", "digits", "d"])("[:%s:] is none", (name) => {
    expect(posixClass(name)).toBeNull();
  });

  test("only a line feed ends a line", () => {
    expect([...ASCII, ...BEYOND].filter((codePoint) => !notNewline(codePoint))).toEqual([0x0a]);
  });
});

describe("classes of Unicode, by Go's names", () => {
  test.each<[string, string, string]>([
    ["Any", "\0a\n\u0378\u{10ffff}\ud800", ""],
    // Assigned code points only.
    ["C", "\u0001\u00ad\ue000\ud800", "a\u0378"],
    ["Cc", "\u0001", "\u00ad"],
    ["Cf", "\u00ad", "\u0001"],
    ["Co", "\ue000", "\u0001"],
    ["Cs", "\ud800", "\u0001"],
    ["L", "aA\u01c5\u02b0\u05d0", "1"],
    ["Ll", "a", "A"],
    ["Lm", "\u02b0", "a"],
    ["Lo", "\u05d0", "a"],
    ["Lt", "\u01c5", "a"],
    ["Lu", "A", "a"],
    ["M", "\u0300\u0903\u20dd", "a"],
    ["Mc", "\u0903", "\u0300"],
    ["Me", "\u20dd", "\u0300"],
    ["Mn", "\u0300", "\u0903"],
    ["N", "1\u2160\u00bd", "a"],
    ["Nd", "1", "\u00bd"],
    ["Nl", "\u2160", "1"],
    ["No", "\u00bd", "1"],
    ["P", "_-)\u00bb\u00ab!(", "a$"],
    ["Pc", "_", "-"],
    ["Pd", "-", "_"],
    ["Pe", ")", "("],
    ["Pf", "\u00bb", "\u00ab"],
    ["Pi", "\u00ab", "\u00bb"],
    ["Po", "!", "_"],
    ["Ps", "(", ")"],
    ["S", "$^+\u00a9", "a"],
    ["Sc", "$", "+"],
    ["Sk", "^", "+"],
    ["Sm", "+", "$"],
    ["So", "\u00a9", "+"],
    ["Z", " \u2028\u2029", "a"],
    ["Zl", "\u2028", " "],
    ["Zp", "\u2029", " "],
    ["Zs", " ", "\u2028"],
    ["Greek", "\u03b1\u{10140}", "a"],
    ["Old_Italic", "\u{10300}", "a"],
    ...["Ahom \u{11700}", "Cham \uaa00", "Kawi \u{11f00}", "Lisu \ua4d0", "Miao \u{16f00}"].map(named),
    ...["Modi \u{11600}", "Newa \u{11400}", "Thai \u0e01", "Toto \u{1e290}"].map(named),
  ])("%s", (name, members, others) => {
    const [found, complement] = [unicodeClass(name, false), unicodeClass(name, true)];
    const [opposite, twice] = [unicodeClass(`^${name}`, false), unicodeClass(`^${name}`, true)];
    for (const [characters, isMember] of [
      [members, true],
      [others, false],
    ] as const) {
      for (const codePoint of codePoints(characters)) {
        expect([found, twice].map((set) => set?.(codePoint))).toEqual([isMember, isMember]);
        expect([complement, opposite].map((set) => set?.(codePoint))).toEqual([!isMember, !isMember]);
      }
    }
  });

  test.each([
    ...["", "^", "^^L", "l", "LX", "Lx", "aL", "Cn", "LC", "X", "Letter", "any", "Any "],
    // JavaScript knows these, or would read more than a name in them.
    ...[
      "Unknown",
      "Zzzz",
      "Grek",
      "Latn",
      "greek",
      " Greek",
      "Greek ",
      "Script=Greek",
      "Greek}\\p{L",
      "ASCII",
    ],
    ...["}", "|", "\\", "Greek\\", "Alphabetic", "Lu}|\\p{Ll"],
  ])("%p is none", (name) => {
    expect([unicodeClass(name, false), unicodeClass(name, true)]).toEqual([null, null]);
  });
});

function named(row: string): [string, string, string] {
  const [name = "", member = ""] = row.split(" ");
  return [name, member, "a"];
}
