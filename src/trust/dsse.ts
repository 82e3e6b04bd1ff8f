import { joined } from "../base/bytes.ts";
import { fromBase64, toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonValue } from "../base/json.ts";
import { isMap } from "../base/decode.ts";
import { LIMITS } from "../base/limits.ts";
import { verify } from "./ed25519.ts";
import { refuseTwins } from "./member-twins.ts";
import { DSSE_BEGINS } from "./message-beginning.ts";
import type { PublicKey } from "./public-key.ts";
import { signBytes } from "./byte-signer.ts";
import { isEndless, type Trials } from "./signature-trials.ts";
import type { SigningKey } from "./signing-key.ts";

/** Dead Simple Signing Envelopes, DSSE 1.0.2: bytes and their type, signed together. */
export type Envelope = {
  readonly payloadType: string;
  /** The bytes that the signatures are over; whoever acts on them parses these and nothing else. */
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
};

type EnvelopeSignature = {
  /** What the signer says; not signed, so it never makes anything accepted. */
  readonly keyid: string | null;
  /** Empty when what stood there was no base64: such a signature verifies under no key. */
  readonly signature: Uint8Array;
};

/** What the signatures came to; only the accepted branch has the payload. `signers` are distinct keys. */
export type EnvelopeVerdict =
  | {
      readonly ok: true;
      readonly payloadType: string;
      readonly payload: Uint8Array;
      readonly signers: readonly PublicKey[];
      /** Signatures that did not count beside those that did. */
      readonly refusals: readonly Failure[];
    }
  | { readonly ok: false; readonly signers: readonly PublicKey[]; readonly refusals: readonly Failure[] };

/** The pre-authentication encoding: both lengths in bytes and in decimal, so that no two pairs encode alike. */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = new TextEncoder().encode(payloadType);
  const head = new TextEncoder().encode(`${DSSE_BEGINS} ${type.length} ${payloadType} ${payload.length} `);
  return joined(head, payload);
}

/** An envelope from its JSON. Throws Failure `envelope_malformed`, or `evidence_too_large` (also when too deep). */
export function parseEnvelope(input: Uint8Array | string, from: string): Envelope {
  const source = {
    what: from,
    code: "envelope_malformed",
    limitCode: "evidence_too_large",
    maxBytes: LIMITS.attestationBytes,
  } as const;
  return decodeEnvelope(parseJson(input, source), from);
}

/** The same from parsed JSON, for an envelope inside another document. Throws Failure `envelope_malformed`. */
export function decodeEnvelope(value: JsonValue | undefined, from: string): Envelope {
  if (!isMap(value)) throw malformed(from, "is no JSON object");
  refuseTwins(value, ["payload", "payloadType", "signatures"], from, malformed);
  const { payload, payloadType, signatures } = value;
  if (typeof payloadType !== "string" || payloadType === "") throw malformed(from, "has no payloadType");
  const bytes = typeof payload === "string" ? fromBase64(payload) : null;
  if (bytes === null) throw malformed(from, "has a payload that is not base64 in one of its usual spellings");
  if (!Array.isArray(signatures)) throw malformed(from, "has no list of signatures");
  if (signatures.length > LIMITS.envelopeSignatures)
    throw new Failure(
      "evidence_too_large",
      `${from} has ${signatures.length} signatures; at most ${LIMITS.envelopeSignatures} are checked`,
    );
  return {
    payloadType,
    payload: bytes,
    signatures: signatures.map((one: JsonValue) => decodeSignature(one, from)),
  };
}

function decodeSignature(value: JsonValue, from: string): EnvelopeSignature {
  if (!isMap(value)) throw malformed(from, "has a signature that is no JSON object");
  refuseTwins(value, ["keyid", "sig"], from, malformed);
  const { keyid, sig } = value;
  if (keyid !== undefined && typeof keyid !== "string")
    throw malformed(from, "has a keyid that is no string");
  // Beside a keyid a foreign member is another version's; in its place it is a keyid with one letter changed.
  if (keyid === undefined && Object.keys(value).length > 1)
    throw malformed(from, "has a signature without a keyid and with members that are not known");
  if (typeof sig !== "string") throw malformed(from, "has a signature without sig");
  return {
    keyid: keyid === undefined || keyid === "" ? null : keyid,
    signature: fromBase64(sig) ?? new Uint8Array(),
  };
}

/** The envelope as waybill writes it: one spelling, fixed order, no white space, no line break at the end. */
export function formatEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelopeDocument(envelope));
}

export type EnvelopeDocument = {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: { readonly keyid?: string; readonly sig: string }[];
};

export function envelopeDocument(envelope: Envelope): EnvelopeDocument {
  return {
    payload: toBase64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ keyid, signature }) => ({
      ...(keyid === null ? {} : { keyid }),
      sig: toBase64(signature),
    })),
  };
}

/** One signature over type and payload, checked by a second implementation before it is returned. */
export function signEnvelope(key: SigningKey, payloadType: string, payload: Uint8Array): Envelope {
  return { payloadType, payload, signatures: [signatureBy(key, payloadType, payload)] };
}

/**
 * The envelope with one more signature. A key that has signed already gets its signature replaced. Throws Failure
 * `evidence_too_large` for one more than anybody reads.
 */
export function addSignature(key: SigningKey, envelope: Envelope): Envelope {
  const { payloadType, payload } = envelope;
  const others = envelope.signatures.filter(({ keyid }) => keyid !== key.publicKey.keyid);
  if (others.length >= LIMITS.envelopeSignatures)
    throw new Failure(
      "evidence_too_large",
      `the envelope has ${others.length} signatures; with one more nobody would read it`,
    );
  return { payloadType, payload, signatures: [...others, signatureBy(key, payloadType, payload)] };
}

function signatureBy(key: SigningKey, payloadType: string, payload: Uint8Array): EnvelopeSignature {
  return { keyid: key.publicKey.keyid, signature: signBytes(key, pae(payloadType, payload)) };
}

/** What it takes to try every signature under every one of so many keys. */
export function trialsOf({ signatures, payload }: Envelope, keys: number): Trials {
  return { signatures: signatures.length, keys, payloadBytes: payload.length };
}

/**
 * Whether at least `threshold` distinct keys of `keys` signed this envelope. Every signature is tried under every
 * key: a bad one stops no good one, and two by one key are one signer. Throws Failure `evidence_too_large`.
 */
export function verifyEnvelope(
  envelope: Envelope,
  keys: readonly PublicKey[],
  threshold: number,
): EnvelopeVerdict {
  if (!Number.isSafeInteger(threshold) || threshold < 1) throw new RangeError("a threshold below 1");
  if (isEndless([trialsOf(envelope, keys.length)])) throw tooMuchWork(envelope, keys);
  const message = pae(envelope.payloadType, envelope.payload);
  const signers = new Map<string, PublicKey>();
  const refusals: Failure[] = [];
  for (const [index, one] of envelope.signatures.entries()) {
    const signer = keys.find((key) => verify(one.signature, message, key.bytes));
    const what = `signature ${index + 1} of ${envelope.signatures.length}`;
    if (signer === undefined) refusals.push(unverified(what, keys));
    else if (namesAnotherKey(one.keyid, signer)) refusals.push(mislabelled(what, signer));
    else signers.set(signer.keyid, signer);
  }
  const found = [...signers.values()];
  if (found.length >= threshold)
    return {
      ok: true,
      payloadType: envelope.payloadType,
      payload: envelope.payload,
      signers: found,
      refusals,
    };
  if (envelope.signatures.length === 0)
    refusals.push(new Failure("signature_invalid", "the envelope has no signature at all"));
  if (threshold > 1) refusals.unshift(tooFew(found, threshold));
  return { ok: false, signers: found, refusals };
}

function tooMuchWork({ signatures, payload }: Envelope, keys: readonly PublicKey[]): Failure {
  return new Failure(
    "evidence_too_large",
    `${signatures.length} signatures over ${payload.length} bytes are too much to try under ${keys.length} keys`,
  );
}

/**
 * A keyid in the form of ours that is not the signer's, or the signer's with something changed in one place. Other
 * tools have forms of their own, which say nothing.
 */
function namesAnotherKey(keyid: string | null, signer: PublicKey): boolean {
  if (keyid === null || keyid === signer.keyid) return false;
  return fromBase64(keyid)?.length === 32 || sharedEnds(keyid, signer.keyid) >= CHANGED_IN_ONE_PLACE;
}

/**
 * Characters of a keyid (44) that agree from both ends: one that was altered keeps nearly all, a stranger has a few.
 */
const CHANGED_IN_ONE_PLACE = 32;

function sharedEnds(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let [before, after] = [0, 0];
  while (before < shorter && a[before] === b[before]) before++;
  while (after < shorter - before && a.at(-1 - after) === b.at(-1 - after)) after++;
  return before + after;
}

function unverified(what: string, keys: readonly PublicKey[]): Failure {
  const [only, ...others] = keys;
  const under =
    only !== undefined && others.length === 0 ? `key ${only.keyid}` : `any of ${keys.length} keys`;
  return new Failure("signature_invalid", `${what} does not verify under ${under}`, {
    hint: "it was made by another key, or payload or payload type were changed afterwards",
  });
}

function mislabelled(what: string, signer: PublicKey): Failure {
  return new Failure(
    "signature_invalid",
    `${what} is by key ${signer.keyid} and names another one as its keyid`,
    {
      hint: "the envelope was changed after it was signed, or its signer is confused about its own key",
    },
  );
}

function tooFew(found: readonly PublicKey[], threshold: number): Failure {
  const by = found.length === 0 ? "" : ` (${found.map(({ keyid }) => keyid).join(", ")})`;
  return new Failure(
    "threshold_not_met",
    `${found.length} of the wanted ${threshold} distinct keys signed${by}`,
    { hint: "several signatures by one key count once" },
  );
}

function malformed(from: string, found: string): Failure {
  return new Failure("envelope_malformed", `${from} ${found}; wanted a DSSE envelope`);
}
