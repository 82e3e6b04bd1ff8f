import { decode, isMap, list, object, optional, record, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, shownJson, type JsonMap, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { refuseTwins } from "./member-twins.ts";

/** in-toto Statement v1: what is said (`predicate`) about which bytes (`subjects`). */
export type Statement = {
  readonly subjects: readonly Subject[];
  /** A URI. */
  readonly predicateType: string;
  readonly predicate: JsonMap;
};

/** Bytes by their digests. The name is for people: nothing is ever matched by it. */
export type Subject = { readonly name: string | null; readonly digest: Readonly<Record<string, string>> };

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const STATEMENT_PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** A URI with a scheme (RFC 3986), without spaces or control characters. */
const TYPE_URI = /^[a-z][a-z0-9+.-]*:[\u0021-\u007e]{1,500}$/iu;

export function isTypeUri(text: string): boolean {
  return TYPE_URI.test(text);
}

const DOCUMENT = object({
  _type: string(quoted(STATEMENT_TYPE), (text) => text === STATEMENT_TYPE),
  subject: list(
    object({
      name: optional(string()),
      digest: record(string("a digest", (text) => text !== "")),
    }),
    LIMITS.attestationSubjects,
  ),
  predicateType: string("a URI", isTypeUri),
});

/**
 * A statement from the bytes that were signed. Foreign members are ignored. Throws Failure `statement_invalid`, or
 * `evidence_too_large` (also when too deep).
 */
export function parseStatement(payload: Uint8Array, from: string): Statement {
  const value = parseJson(payload, {
    what: `the statement of ${from}`,
    code: "statement_invalid",
    limitCode: "evidence_too_large",
  });
  if (!isMap(value)) throw invalid(from, "it is no object");
  const decoded = decode(DOCUMENT, value);
  if (!decoded.ok) throw invalid(from, decoded.problems.join("; "));
  const { subject, predicateType } = decoded.value;
  refuseTwins(value, ["_type", "subject", "predicateType", "predicate"], from, invalid);
  const predicate = value["predicate"] ?? {};
  if (!isMap(predicate)) throw invalid(from, "its predicate is no object");
  const subjects = subject.map(({ name, digest }) => ({ name: name ?? null, digest }));
  const problem = problemOf(subjects);
  if (problem !== null) throw invalid(from, problem);
  return { subjects, predicateType, predicate };
}

function invalid(from: string, problem: string): Failure {
  return new Failure("statement_invalid", `the statement of ${from} is not one of in-toto v1: ${problem}`);
}

/** What the specification forbids in a list of subjects, or null. */
function problemOf(subjects: readonly Subject[]): string | null {
  if (subjects.length === 0) return "it has no subject";
  if (subjects.some(({ digest }) => Object.keys(digest).length === 0)) return "a subject has no digest";
  const names = new Set<string>();
  for (const { name } of subjects) {
    if (name === null || name === "") continue;
    if (names.has(name)) return `two subjects are named ${quoted(name)}`;
    names.add(name);
  }
  return null;
}

/**
 * The bytes to sign: one spelling for one statement, without white space, the members of the predicate and of the
 * digests in the order of their names. Throws Failure `input_invalid` for what could not be said without loss.
 */
export function formatStatement(statement: Statement): Uint8Array {
  const problem = problemOf(statement.subjects);
  if (problem !== null) throw new Failure("input_invalid", `no statement can be made: ${problem}`);
  const subjects = statement.subjects.map(({ name, digest }) => {
    const named = name === null ? "" : `"name":${JSON.stringify(name)},`;
    return `{${named}"digest":${orderedJson(digest)}}`;
  });
  const text =
    `{"_type":${JSON.stringify(STATEMENT_TYPE)},"subject":[${subjects.join(",")}],` +
    `"predicateType":${JSON.stringify(statement.predicateType)},"predicate":${orderedJson(statement.predicate)}}`;
  return new TextEncoder().encode(text);
}

function orderedJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => orderedJson(item)).join(",")}]`;
  if (isMap(value)) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${orderedJson(value[name] ?? null)}`).join(",")}}`;
  }
  // Readers keep such a number as the nearest double or exactly: they would read two predicates.
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new Failure("input_invalid", `the number ${shownJson(value)} is beyond 2^53`, {
      hint: "write it as a string: readers of JSON disagree about such numbers",
    });
  return JSON.stringify(value);
}
