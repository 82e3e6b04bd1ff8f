import { printable, quoted } from "./printable.ts";
import type { JsonValue } from "./json.ts";

/** What is wrong with a document, each with the path of the member: `addons[2].version is 1.1; wanted a string`. */
export type Problems = string[];

/** Takes a JSON value; pushes to `problems` and returns undefined when it is not what was wanted. */
export type Decoder<T> = (value: JsonValue | undefined, path: string, problems: Problems) => T | undefined;

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return quoted(value, 60);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/**
 * A list or an object that has so many problems is left there:
 * a hostile document has a million, and nobody reads them.
 */
const ENOUGH_PROBLEMS = 10;

function refuse(problems: Problems, path: string, value: JsonValue | undefined, wanted: string): undefined {
  problems.push(`${path} is ${shown(value)}; wanted ${wanted}`);
}

/** A string that satisfies `accept`, described by `wanted`. */
export function string(wanted = "a string", accept?: (text: string) => boolean): Decoder<string> {
  return (value, path, problems) =>
    typeof value === "string" && (accept === undefined || accept(value))
      ? value
      : refuse(problems, path, value, wanted);
}

/** A string in a narrower type, by its type guard. */
export function narrowed<T extends string>(wanted: string, accept: (text: string) => text is T): Decoder<T> {
  return (value, path, problems) =>
    typeof value === "string" && accept(value) ? value : refuse(problems, path, value, wanted);
}

/** What `parse` makes of a string; null is for one that is not as `wanted` says. */
export function parsed<T>(wanted: string, parse: (text: string) => T | null): Decoder<T> {
  return (value, path, problems) =>
    (typeof value === "string" ? parse(value) : null) ?? refuse(problems, path, value, wanted);
}

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path, problems) =>
    words.find((word) => word === value) ?? refuse(problems, path, value, `one of ${words.join(", ")}`);
}

export function boolean(): Decoder<boolean> {
  return (value, path, problems) =>
    typeof value === "boolean" ? value : refuse(problems, path, value, "true or false");
}

export function integer(): Decoder<number> {
  return (value, path, problems) =>
    typeof value === "number" && Number.isSafeInteger(value)
      ? value
      : refuse(problems, path, value, "a whole number");
}

/** A version or a threshold: a whole number from 1. */
export function positive(): Decoder<number> {
  return (value, path, problems) => {
    const found = integer()(value, path, problems);
    return found === undefined || found >= 1 ? found : refuse(problems, path, value, "a whole number from 1");
  };
}

/** A whole number from `least` to `most`. */
export function within(least: number, most: number, unit = ""): Decoder<number> {
  return (value, path, problems) => {
    const found = integer()(value, path, problems);
    if (found === undefined || (found >= least && found <= most)) return found;
    problems.push(`${path} is ${found}; wanted ${least} to ${most}${unit}`);
    return undefined;
  };
}

/** Any JSON value that is present. */
export function anything(): Decoder<JsonValue> {
  return (value, path, problems) => (value === undefined ? refuse(problems, path, value, "a value") : value);
}

export function nullable<T>(item: Decoder<T>): Decoder<T | null> {
  return (value, path, problems) => (value === null ? null : item(value, path, problems));
}

export function list<T>(item: Decoder<T>, max: number): Decoder<T[]> {
  return (value, path, problems) => {
    if (!Array.isArray(value)) return refuse(problems, path, value, "a list");
    if (value.length > max)
      return refuse(problems, path, value, `at most ${max} entries, found ${value.length}`);
    const before = problems.length;
    const decoded: T[] = [];
    for (const [index, entry] of value.entries()) {
      const one = item(entry, `${path}[${index}]`, problems);
      if (one !== undefined) decoded.push(one);
      if (problems.length - before >= ENOUGH_PROBLEMS) break;
    }
    return decoded;
  };
}

/** Values by name, for objects whose names are data. */
export function record<T>(item: Decoder<T>): Decoder<Record<string, T>> {
  return (value, path, problems) => {
    if (!isMap(value)) return refuse(problems, path, value, "an object");
    const before = problems.length;
    const decoded: Record<string, T> = Object.create(null);
    for (const [name, entry] of Object.entries(value)) {
      const one = item(entry, `${path}[${quoted(name, 60)}]`, problems);
      if (one !== undefined) decoded[name] = one;
      if (problems.length - before >= ENOUGH_PROBLEMS) break;
    }
    return decoded;
  };
}

/** Marks a member of `object` that may be missing. */
export type Optional<T> = { readonly optional: Decoder<T> };

export function optional<T>(decoder: Decoder<T>): Optional<T> {
  return { optional: decoder };
}

type Shape = Record<string, Decoder<unknown> | Optional<unknown>>;
type Decoded<S extends Shape> = {
  [K in keyof S as S[K] extends Optional<unknown> ? never : K]: S[K] extends Decoder<infer T> ? T : never;
} & {
  [K in keyof S as S[K] extends Optional<unknown> ? K : never]?: S[K] extends Optional<infer T> ? T : never;
};

type Unknown = "ignored" | "refused";

/** An object with these members. Foreign members are ignored (another version may send them) or refused. */
export function object<S extends Shape>(shape: S, unknown: Unknown = "ignored"): Decoder<Decoded<S>> {
  return (value, path, problems) => {
    if (!isMap(value)) return refuse(problems, path, value, "an object");
    const before = problems.length;
    const decoded: Record<string, unknown> = Object.create(null);
    for (const [name, member] of Object.entries(shape)) {
      const found = Object.hasOwn(value, name) ? value[name] : undefined;
      if (typeof member !== "function" && found === undefined) continue;
      const decoder = typeof member === "function" ? member : member.optional;
      decoded[name] = decoder(found, path === "" ? name : `${path}.${name}`, problems);
    }
    if (unknown === "refused") {
      const foreign = Object.keys(value).filter((name) => !Object.hasOwn(shape, name));
      for (const name of foreign.slice(0, ENOUGH_PROBLEMS))
        problems.push(`${path === "" ? "" : `${path}.`}${printable(name, 60)} is not a known member`);
    }
    // Every member was decoded by the decoder that its type comes from, or a problem was pushed.
    return problems.length === before ? (decoded as Decoded<S>) : undefined; // oxlint-disable-line typescript/no-unsafe-type-assertion
  };
}

export function isMap(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The decoded value, or what is wrong with it: enough of it to mend the document. */
export function decode<T>(
  decoder: Decoder<T>,
  value: JsonValue,
): { ok: true; value: T } | { ok: false; problems: Problems } {
  const problems: Problems = [];
  const decoded = decoder(value, "", problems);
  if (decoded !== undefined && problems.length === 0) return { ok: true, value: decoded };
  return {
    ok: false,
    problems: problems.map((problem) => (problem.startsWith(" is ") ? `the document${problem}` : problem)),
  };
}
