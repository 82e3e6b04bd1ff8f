import { textOf } from "./encoding.ts";
import { Failure } from "./failure.ts";
import type { FailureCode } from "./exit-codes.ts";
import { LIMITS } from "./limits.ts";
import { parsePlainJson } from "./plain-json.ts";
import { printable, quoted } from "./printable.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonMap;
export type JsonMap = { readonly [key: string]: JsonValue };

/** A value as it appears in a message: JSON, inert, short. */
export function shownJson(value: JsonValue): string {
  return typeof value === "string" ? quoted(value, 100) : printable(JSON.stringify(value), 100);
}

type Source = {
  /** What the document is, for messages: `the answer of production`. */
  readonly what: string;
  /** The code of the failure when it is not the JSON that we take. */
  readonly code: FailureCode;
  readonly maxBytes?: number;
  /** The code when it is too large or too deep, where that is another failure than being no JSON. */
  readonly limitCode?: FailureCode;
  /** Told of a member name that occurs twice in an object, of which the last then counts; absent refuses it. */
  readonly onSecond?: (name: string) => void;
};

/**
 * RFC 8259 JSON, strictly: valid UTF-8 (one byte-order mark is skipped), no duplicate member names (readers differ
 * in which one they take, so two tools would read two documents), nothing after the value, bounded depth. Objects
 * have no prototype, so that `__proto__` is an ordinary name. Throws Failure with `source.code`.
 */
export function parseJson(input: Uint8Array | string, source: Source): JsonValue {
  const limit = source.maxBytes ?? LIMITS.documentBytes;
  if (input.length > limit)
    throw new Failure(source.limitCode ?? source.code, `${source.what} is larger than ${limit} bytes`);
  const text = typeof input === "string" ? input : decodeUtf8(input, source);
  return parsePlainJson(text, LIMITS.jsonDepth) ?? new Reader(text, source).document();
}

function decodeUtf8(bytes: Uint8Array, source: Source): string {
  const text = textOf(bytes);
  if (text === null) throw new Failure(source.code, `${source.what} is not valid UTF-8`);
  return text;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
// Two patterns and a loop: one pattern for a whole string gives up on a few megabytes of it.
const PLAIN = /[^"\\\u0000-\u001f]*/uy;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/uy;
const SPACE = /[ \t\n\r]*/uy;

class Reader {
  readonly #text: string;
  readonly #source: Source;
  #at = 0;
  #depth = 0;

  constructor(text: string, source: Source) {
    this.#text = text;
    this.#source = source;
  }

  document(): JsonValue {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#fail("more text after the value");
    return value;
  }

  #value(): JsonValue {
    const character = this.#text[this.#at];
    if (character === "{") return this.#nested(() => this.#object());
    if (character === "[") return this.#nested(() => this.#array());
    if (character === '"') return this.#string();
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    if (this.#word("null")) return null;
    const digits = this.#match(NUMBER);
    if (digits === null) throw this.#fail(character === undefined ? "the text ends early" : "no JSON value");
    const number = Number(digits);
    // JSON has no infinity, and no reader would agree on what 1e999 means.
    if (!Number.isFinite(number)) throw this.#fail("a number that is too large");
    return number;
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > LIMITS.jsonDepth)
      throw this.#fail(`more than ${LIMITS.jsonDepth} levels`, this.#source.limitCode);
    this.#at++;
    this.#skipSpace();
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonMap {
    const map: Record<string, JsonValue> = Object.create(null);
    if (this.#take("}")) return map;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#fail("no member name");
      const name = this.#string();
      if (name in map) {
        if (this.#source.onSecond === undefined) throw this.#fail(`a second member ${quoted(name)}`);
        this.#source.onSecond(name);
        // It now stands where the last one stands.
        delete map[name];
      }
      this.#skipSpace();
      if (!this.#take(":")) throw this.#fail("no colon after a member name");
      this.#skipSpace();
      map[name] = this.#value();
      this.#skipSpace();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#fail("no comma or closing brace");
    return map;
  }

  #array(): JsonValue[] {
    const items: JsonValue[] = [];
    if (this.#take("]")) return items;
    do {
      this.#skipSpace();
      items.push(this.#value());
      this.#skipSpace();
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#fail("no comma or closing bracket");
    return items;
  }

  #string(): string {
    const start = this.#at++;
    do this.#match(PLAIN);
    while (this.#match(ESCAPE) !== null);
    if (!this.#take('"')) {
      this.#at = start;
      throw this.#fail("a broken string");
    }
    const text: string = JSON.parse(this.#text.slice(start, this.#at));
    if (!text.isWellFormed()) throw this.#fail("half a surrogate pair in a string");
    return text;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #fail(found: string, code: FailureCode = this.#source.code): Failure {
    return new Failure(
      code,
      `${this.#source.what} is not the JSON we take: ${found} at character ${this.#at}`,
    );
  }
}
