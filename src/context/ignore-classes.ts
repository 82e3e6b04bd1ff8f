/** The named character classes of Go's `regexp`, as far as an ignore pattern can name them. */

export type CodePointSet = (codePoint: number) => boolean;

const PERL: ReadonlyMap<string, RegExp> = new Map([
  ["d", /[0-9]/],
  ["s", /[\t\n\f\r ]/],
  ["w", /[0-9A-Za-z_]/],
]);

const POSIX: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["ascii", /[\0-\x7f]/],
  ["blank", /[\t ]/],
  ["cntrl", /[\0-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[\t-\r ]/],
  ["upper", /[A-Z]/],
  ["word", /[0-9A-Za-z_]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);

const CATEGORY = /^(?:C[cfos]|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
/** Go knows scripts by their long names alone, JavaScript by four letters too; these long names have four. */
const SHORT_SCRIPTS: ReadonlySet<string> = new Set("Ahom Cham Kawi Lisu Miao Modi Newa Thai Toto".split(" "));

export function notNewline(codePoint: number): boolean {
  return codePoint !== 0x0a;
}

/** What `\d` and its like mean, by the letter; the capital is the complement. */
export function perlClass(letter: string): CodePointSet | null {
  const small = letter.toLowerCase();
  return setOf(PERL.get(small), letter !== small);
}

/** The class between `[:` and `:]`, or null when there is none of that name. */
export function posixClass(name: string): CodePointSet | null {
  const negated = name.startsWith("^");
  return setOf(POSIX.get(negated ? name.slice(1) : name), negated);
}

/** A general category or script by its name in Go, or null. Unicode's version is that of the runtime. */
export function unicodeClass(name: string, negated: boolean): CodePointSet | null {
  const opposite = name.startsWith("^");
  return setOf(unicodeMembers(opposite ? name.slice(1) : name), opposite !== negated);
}

function unicodeMembers(name: string): RegExp | undefined {
  if (name === "Any") return /[^]/u;
  // Go's C holds assigned code points only.
  if (name === "C") return /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
  if (CATEGORY.test(name)) return new RegExp(`\\p{${name}}`, "u");
  if (name === "Unknown" || /\W/.test(name)) return undefined;
  if (name.length === 4 && !SHORT_SCRIPTS.has(name)) return undefined;
  try {
    return new RegExp(`\\p{Script=${name}}`, "u");
  } catch {
    return undefined;
  }
}

function setOf(members: RegExp | undefined, negated: boolean): CodePointSet | null {
  return members === undefined
    ? null
    : (codePoint): boolean => members.test(String.fromCodePoint(codePoint)) !== negated;
}
