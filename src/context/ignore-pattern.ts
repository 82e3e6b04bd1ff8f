import { RegexpAutomaton } from "./ignore-automaton.ts";
import { parseRegexp } from "./ignore-regexp.ts";
import { encodeName } from "./ignore-text.ts";

/** Whether a path (relative, `/`-separated) is hit by one pattern. */
export type PathTest = (path: string) => boolean;

/**
 * Special to a regular expression and not to a glob. `{`, `}`
 * and `|` are missing: Docker means to escape them and does not.
 */
const ESCAPED: ReadonlySet<string> = new Set([".", "+", "(", ")", "$"]);

/**
 * One pattern as Docker compiles it: a literal comparison where it is one, else a regular expression. Null where
 * Docker finds a syntax error in it; it does so when the pattern is first needed, not when the file is loaded.
 */
export function compilePattern(pattern: string): PathTest | null {
  const { kind, source } = translate(pattern);
  if (kind === "exact") return (path) => path === pattern;
  if (kind === "prefix") return startsWith(pattern.slice(0, -2));
  if (kind === "suffix") return suffixTest(pattern);
  const expression = parseRegexp(source);
  const automaton = expression && RegexpAutomaton.of(expression);
  return automaton && ((path): boolean => automaton.matches(path));
}

type Translation = { kind: "exact" | "prefix" | "suffix" | "regexp"; source: string };

function translate(pattern: string): Translation {
  // Docker reads the pattern by a text scanner: bytes that are not UTF-8 become U+FFFD, a first U+FEFF is dropped.
  const characters = Array.from(pattern.toWellFormed());
  let at = characters[0] === "\ufeff" ? 1 : 0;
  let kind: Translation["kind"] = "exact";
  let source = "^";
  for (let first = true; at < characters.length; first = false) {
    const character = characters[at++] ?? "";
    if (character === "*" && characters[at] === "*") {
      at++;
      if (characters[at] === "/") at++;
      if (at < characters.length) {
        source += "(.*/)?";
        kind = "regexp";
      } else if (kind === "exact") {
        kind = "prefix";
      } else {
        source += ".*";
        kind = "regexp";
      }
      if (first) kind = "suffix";
    } else if (character === "*" || character === "?") {
      source += character === "*" ? "[^/]*" : "[^/]";
      kind = "regexp";
    } else if (character === "\\" && at < characters.length) {
      // Any escape goes through, so `\d` is the digits and `\q` an error.
      source += `\\${characters[at++]}`;
      kind = "regexp";
    } else {
      source += ESCAPED.has(character) ? `\\${character}` : character;
      if (character === "[" || character === "]") kind = "regexp";
    }
  }
  return { kind, source: `${source}$` };
}

function suffixTest(pattern: string): PathTest {
  if (pattern.startsWith("\ufeff")) {
    // Docker drops two bytes here, meant for `**`, and they are the first two of the mark's three.
    const suffix = Buffer.from(encodeName(pattern).subarray(2));
    return (path) => suffix.equals(encodeName(path).slice(-suffix.length));
  }
  const suffix = pattern.slice(2);
  const ends = endsWith(suffix);
  if (!suffix.startsWith("/")) return ends;
  // `**/x` is `x` at the top too.
  const top = suffix.slice(1);
  return (path) => path === top || ends(path);
}

/** Literals are bytes to Docker: one that ends or begins inside a character cannot be compared as text. */
function startsWith(literal: string): PathTest {
  if (literal.isWellFormed()) return (path) => path.startsWith(literal);
  const bytes = Buffer.from(encodeName(literal));
  return (path) => bytes.equals(encodeName(path).slice(0, bytes.length));
}

function endsWith(literal: string): PathTest {
  if (literal.isWellFormed()) return (path) => path.endsWith(literal);
  const bytes = Buffer.from(encodeName(literal));
  return (path) => bytes.equals(encodeName(path).slice(-bytes.length));
}

/**
 * Whether Go's `filepath.Match(pattern, ".")` finds no fault. It stops reading at the first chunk between stars that
 * cannot match, so a fault behind that passes here and is found by `compilePattern`, if it is one there. One
 * character is matched by one chunk: only where the first one does is a second one read.
 */
export function isAcceptedGlob(pattern: string): boolean {
  const first = nextChunk(pattern);
  const isFirstDot = isDot(first.chunk);
  if (isFirstDot === null) return false;
  return !isFirstDot || isDot(nextChunk(first.after).chunk) !== null;
}

/** What stands between stars. */
function nextChunk(pattern: string): { chunk: string; after: string } {
  let start = 0;
  while (pattern[start] === "*") start++;
  let inClass = false;
  let end = start;
  for (; end < pattern.length; end++) {
    const unit = pattern[end];
    if (unit === "\\") end++;
    else if (unit === "[") inClass = true;
    else if (unit === "]") inClass = false;
    else if (unit === "*" && !inClass) break;
  }
  return { chunk: pattern.slice(start, end), after: pattern.slice(end) };
}

/** Whether a chunk matches `.`; null for a fault in it, also behind what does not match. */
function isDot(chunk: string): boolean | null {
  let characters = 0;
  let fits = true;
  for (let at = 0; at < chunk.length; characters++) {
    if (chunk[at] === "[") {
      const found = readClass(chunk, at + 1);
      if (found === null) return null;
      fits &&= found.hasDot;
      at = found.end;
    } else if (chunk[at] === "?") {
      at++;
    } else {
      if (chunk[at] === "\\" && ++at === chunk.length) return null;
      const isSame = chunk[at++] === ".";
      fits &&= isSame;
    }
  }
  return fits && characters === 1;
}

const DOT = 0x2e;

function readClass(chunk: string, from: number): { hasDot: boolean; end: number } | null {
  const negated = chunk[from] === "^";
  let at = negated ? from + 1 : from;
  let hasDot = false;
  for (let ranges = 0; ; ranges++) {
    if (chunk[at] === "]" && ranges > 0) return { hasDot: hasDot !== negated, end: at + 1 };
    const low = readClassMember(chunk, at);
    if (low === null) return null;
    const high = chunk[low.end] === "-" ? readClassMember(chunk, low.end + 1) : low;
    if (high === null) return null;
    hasDot ||= low.codePoint <= DOT && DOT <= high.codePoint;
    at = high.end;
  }
}

function readClassMember(chunk: string, from: number): { codePoint: number; end: number } | null {
  if (chunk[from] === "-" || chunk[from] === "]") return null;
  const at = chunk[from] === "\\" ? from + 1 : from;
  const codePoint = chunk.codePointAt(at);
  // A lone surrogate is a byte that is not UTF-8.
  if (codePoint === undefined || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return null;
  return { codePoint, end: at + (codePoint > 0xffff ? 2 : 1) };
}
