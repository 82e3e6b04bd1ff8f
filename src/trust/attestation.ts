import { isMap } from "../base/decode.ts";
import { textOf } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeBundle, looksLikeBundle } from "./bundle.ts";
import { decodeEnvelope, type Envelope } from "./dsse.ts";

/** One signed statement as it was found; nothing of it is believed yet. */
export type Attestation = {
  /** Where it stood, for messages. */
  readonly from: string;
  readonly format: "bundle" | "dsse";
  readonly envelope: Envelope;
  /** Evidence beside the signature that waybill does not check. */
  readonly unchecked: readonly string[];
};

/** What a file of attestations holds. */
export type FoundAttestations = {
  readonly attestations: readonly Attestation[];
  /** What was meant as an attestation and is none. */
  readonly refusals: readonly Failure[];
  /** Lines of another kind, which other tools may have put beside ours. */
  readonly skippedLines: number;
};

/**
 * The attestations in a file: one bundle or envelope, or one on each line. A file whose name does not tell is read
 * as one document, and by lines when one of them is a document by itself. What is wrong is a value; only what is too
 * large throws: Failure `evidence_too_large`.
 */
export function parseAttestations(input: Uint8Array, from: string, byLines: boolean): FoundAttestations {
  if (input.length > LIMITS.attestationBytes)
    throw new Failure(
      "evidence_too_large",
      `${from} has ${input.length} bytes; at most ${LIMITS.attestationBytes} are read`,
    );
  const text = textOf(input);
  if (text === null) return refused(new Failure("attestation_malformed", `${from} is not valid UTF-8`));
  if (text.trim() === "") return { attestations: [], refusals: [], skippedLines: 0 };
  if (byLines) return parseLines(text, from);
  const whole = read(text, from);
  if ("document" in whole) return one(whole.document, from);
  // A bundle that was printed over several lines and then damaged has no line that is a document.
  const lines = filledLines(text, LIMITS.attestations);
  const readable = lines.some(({ line }) => "document" in read(line, from));
  return readable ? parseLines(text, from) : refused(whole.failure);
}

function parseLines(text: string, from: string): FoundAttestations {
  const filled = filledLines(text, LIMITS.attestations + 1);
  if (filled.length > LIMITS.attestations)
    throw new Failure(
      "evidence_too_large",
      `${from} has more than the ${LIMITS.attestations} lines that are read`,
    );
  const attestations: Attestation[] = [];
  const refusals: Failure[] = [];
  let skippedLines = 0;
  for (const { line, number } of filled) {
    const place = `line ${number} of ${from}`;
    const found = read(line, place);
    const decoded = "document" in found ? decodeOne(found.document, place) : found.failure;
    if (decoded === null) skippedLines++;
    else if (decoded instanceof Failure) refusals.push(decoded);
    else attestations.push(decoded);
  }
  return { attestations, refusals, skippedLines };
}

type Line = { readonly line: string; readonly number: number };

/**
 * The lines with something on them, as many as are wanted: ten
 * megabytes of line breaks must not become ten million lines.
 */
function filledLines(text: string, most: number): Line[] {
  const found: Line[] = [];
  let number = 1;
  for (let at = 0; at < text.length && found.length < most; number++) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end === -1 ? text.length : end);
    if (line.trim() !== "") found.push({ line, number });
    at += line.length + 1;
  }
  return found;
}

function one(document: JsonValue, from: string): FoundAttestations {
  const decoded = decodeOne(document, from);
  if (decoded === null)
    return refused(
      new Failure(
        "attestation_malformed",
        `${from} is JSON and neither a Sigstore bundle nor a DSSE envelope`,
        {
          hint: "a statement alone is not signed; sign it with: waybill attest",
        },
      ),
    );
  return decoded instanceof Failure
    ? refused(decoded)
    : { attestations: [decoded], refusals: [], skippedLines: 0 };
}

/** Null for a document of another kind. */
function decodeOne(document: JsonValue, from: string): Attestation | Failure | null {
  if (!isMap(document)) return null;
  try {
    if (looksLikeBundle(document)) return { from, format: "bundle", ...decodeBundle(document, from) };
    const isEnvelope = ["payload", "payloadType", "signatures"].some((name) => Object.hasOwn(document, name));
    return isEnvelope
      ? { from, format: "dsse", envelope: decodeEnvelope(document, from), unchecked: [] }
      : null;
  } catch (error) {
    return foreseen(error);
  }
}

function read(text: string, from: string): { document: JsonValue } | { failure: Failure } {
  try {
    const source = { what: from, code: "attestation_malformed", limitCode: "evidence_too_large" } as const;
    return { document: parseJson(text, source) };
  } catch (error) {
    return { failure: foreseen(error) };
  }
}

function foreseen(error: unknown): Failure {
  if (error instanceof Failure && error.code !== "evidence_too_large") return error;
  throw error;
}

function refused(failure: Failure): FoundAttestations {
  return { attestations: [], refusals: [failure], skippedLines: 0 };
}

/** One statement that several people signed each by themselves: their signatures count together. */
export function mergeEqual(attestations: readonly Attestation[]): Attestation[] {
  const merged = new Map<string, Attestation>();
  for (const one of attestations) {
    const key = `${one.envelope.payloadType}\n${Buffer.from(one.envelope.payload).toString("base64")}`;
    const other = merged.get(key);
    merged.set(key, other === undefined ? one : joined(other, one));
  }
  return [...merged.values()];
}

function joined(first: Attestation, second: Attestation): Attestation {
  const signatures = [...first.envelope.signatures, ...second.envelope.signatures];
  return {
    ...first,
    envelope: { ...first.envelope, signatures },
    unchecked: [...new Set([...first.unchecked, ...second.unchecked])],
  };
}
