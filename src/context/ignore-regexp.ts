/**
 * Reads the regular expressions that Docker makes of ignore patterns, in the syntax of Go's `regexp` (RE2). A pattern
 * cannot bring in groups, flags or `+`: Docker escapes their characters, so that every parenthesis has its other half;
 * `[ ] { } | ^ \` come through as they are.
 */

import { notNewline, perlClass, posixClass, unicodeClass, type CodePointSet } from "./ignore-classes.ts";

export type Place = "start" | "end" | "word-boundary" | "no-word-boundary";

export type Expression =
  | { op: "one"; of: CodePointSet }
  | { op: "at"; place: Place }
  | { op: "sequence"; of: readonly Expression[] }
  | { op: "either"; of: readonly Expression[] }
  | { op: "repeat"; of: Expression; min: number; max: number; depth: number };

/** Go's ceilings: copies of one expression through its repetitions, and repetitions of repetitions. */
const MAX_COPIES = 1000;
const MAX_DEPTH = 1000;
const MAX_CODE_POINT = 0x10ffff;

/** The expression, or null where Go's parser refuses it. */
export function parseRegexp(source: string): Expression | null {
  try {
    return new Parser(source).parse();
  } catch (thrown) {
    if (thrown instanceof Refused) return null;
    throw thrown;
  }
}

class Refused extends Error {}

function known(set: CodePointSet | null): CodePointSet {
  if (set === null) throw new Refused();
  return set;
}

class Parser {
  readonly #source: string;
  #at = 0;
  /** Equal literals and classes share one set: the automaton counts on identity. */
  readonly #literals = new Map<number, CodePointSet>();
  readonly #classes = new Map<string, CodePointSet>();

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Expression {
    return this.#either();
  }

  #either(): Expression {
    const branches = [this.#sequence()];
    while (this.#skip("|")) branches.push(this.#sequence());
    return { op: "either", of: branches };
  }

  #sequence(): Expression {
    const items: Expression[] = [];
    let afterRepeat = false;
    for (;;) {
      const next = this.#source[this.#at];
      if (next === undefined || next === "|" || next === ")") return { op: "sequence", of: items };
      const range = this.#repetition();
      if (range === null) {
        this.#item(items);
      } else {
        const repeated = items.pop();
        if (afterRepeat || repeated === undefined) throw new Refused();
        items.push(repeat(repeated, range.min, range.max));
      }
      afterRepeat = range !== null;
    }
  }

  #repetition(): { min: number; max: number } | null {
    if (this.#skip("*")) return { min: 0, max: Infinity };
    if (this.#skip("?")) return { min: 0, max: 1 };
    // What has not exactly this form is a literal brace; `{01}` is one.
    const braces = this.#take(/\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}/y);
    if (braces === null) return null;
    const min = Number(braces[1]);
    const max = braces[2] === undefined ? min : braces[3] === undefined ? Infinity : Number(braces[3]);
    if (min > max) throw new Refused();
    return { min, max };
  }

  #item(items: Expression[]): void {
    if (this.#skip("(")) {
      items.push(this.#either());
      if (!this.#skip(")")) throw new Refused();
    } else if (this.#skip("^") || this.#skip("\\A")) {
      items.push({ op: "at", place: "start" });
    } else if (this.#skip("$") || this.#skip("\\z")) {
      items.push({ op: "at", place: "end" });
    } else if (this.#skip("\\b")) {
      items.push({ op: "at", place: "word-boundary" });
    } else if (this.#skip("\\B")) {
      items.push({ op: "at", place: "no-word-boundary" });
    } else if (this.#skip("\\Q")) {
      const end = this.#source.indexOf("\\E", this.#at);
      const quoted = this.#source.slice(this.#at, end === -1 ? undefined : end);
      for (const character of quoted) items.push(this.#literal(character.codePointAt(0) ?? 0));
      // Where there is no end, it leads behind that of the source.
      this.#at += quoted.length + 2;
    } else {
      items.push(this.#single());
    }
  }

  #single(): Expression {
    const from = this.#at;
    const set = this.#skip(".") ? notNewline : this.#skip("[") ? this.#bracket() : this.#classEscape();
    if (set === null) return this.#literal(this.#codePoint());
    const text = this.#source.slice(from, this.#at);
    const shared = this.#classes.get(text) ?? set;
    this.#classes.set(text, shared);
    return { op: "one", of: shared };
  }

  #literal(codePoint: number): Expression {
    const shared = this.#literals.get(codePoint) ?? ((other): boolean => other === codePoint);
    this.#literals.set(codePoint, shared);
    return { op: "one", of: shared };
  }

  #bracket(): CodePointSet {
    const negated = this.#skip("^");
    const members: CodePointSet[] = [];
    for (let first = true; first || !this.#skip("]"); first = false) {
      const named = this.#namedClass() ?? this.#classEscape();
      if (named !== null) {
        members.push(named);
        continue;
      }
      const low = this.#codePoint();
      const isRange = this.#take(/-(?=[^\]])/y) !== null;
      const high = isRange ? this.#codePoint() : low;
      if (high < low) throw new Refused();
      members.push((codePoint) => low <= codePoint && codePoint <= high);
    }
    return (codePoint) => members.some((member) => member(codePoint)) !== negated;
  }

  /** `[:alpha:]` inside a class. Without `:]` further on it is an ordinary `[`. */
  #namedClass(): CodePointSet | null {
    const found = this.#take(/\[:(.*?):\]/sy);
    return found === null ? null : known(posixClass(found[1] ?? ""));
  }

  /** `\d`, `\pL`, `\p{Greek}`, `\P{^Nd}` and their like. */
  #classEscape(): CodePointSet | null {
    const letter = this.#take(/\\([dsw])/iy)?.[1];
    if (letter !== undefined) return known(perlClass(letter));
    const kind = this.#take(/\\(p)/iy)?.[1];
    if (kind === undefined) return null;
    const name = this.#take(/\{([^}]*)\}|([^{])/uy) ?? [];
    return known(unicodeClass(name[1] ?? name[2] ?? "", kind === "P"));
  }

  /** A character or an escape that stands for one. */
  #codePoint(): number {
    const escaped = this.#skip("\\");
    const codePoint = this.#source.codePointAt(this.#at);
    if (codePoint === undefined) throw new Refused();
    const character = String.fromCodePoint(codePoint);
    if (!escaped || /[\0-/:-@[-`{-\x7f]/.test(character)) {
      this.#at += character.length;
      return codePoint;
    }
    const control = this.#take(/[afnrtv]/y)?.[0];
    if (control !== undefined) return 7 + "abtnvfr".indexOf(control);
    // One digit but 0 alone would be a back-reference, which RE2 has not.
    const octal = this.#take(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)?.[0];
    if (octal !== undefined) return Number.parseInt(octal, 8);
    const hex = this.#take(/x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/y);
    const value = hex === null ? Infinity : Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
    if (value > MAX_CODE_POINT) throw new Refused();
    return value;
  }

  #skip(text: string): boolean {
    const found = this.#source.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #take(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#source);
    if (found !== null) this.#at = sticky.lastIndex;
    return found;
  }
}

function repeat(of: Expression, min: number, max: number): Expression {
  const depth = 1 + (of.op === "repeat" ? of.depth : 0);
  const repeated: Expression = { op: "repeat", of, min, max, depth };
  // `\Q\E` between two repetitions lets them nest: `a{9}\Q\E{9}`.
  if (depth > MAX_DEPTH || !isSmall(repeated)) throw new Refused();
  return repeated;
}

/** Whether nested repetitions copy what they repeat at most `MAX_COPIES` times. */
function isSmall(repeated: Expression): boolean {
  let budget = MAX_COPIES;
  for (let inner = repeated; inner.op === "repeat"; inner = inner.of) {
    if (inner.max === 0) return true;
    const copies = inner.max === Infinity ? inner.min : inner.max;
    if (copies > budget) return false;
    budget = Math.floor(budget / Math.max(copies, 1));
  }
  return true;
}
