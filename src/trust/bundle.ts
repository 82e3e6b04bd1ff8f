import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import { decodeEnvelope, envelopeDocument, type Envelope } from "./dsse.ts";
import { refuseTwins } from "./member-twins.ts";

/** A Sigstore bundle that carries one DSSE envelope and names its key by a hint. */
export type Bundle = {
  readonly envelope: Envelope;
  /** What the bundle carries besides and waybill does not check; it counts for nothing. */
  readonly unchecked: readonly string[];
};

const MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MEDIA_TYPES = [
  MEDIA_TYPE,
  ...["0.1", "0.2", "0.3"].map((version) => `application/vnd.dev.sigstore.bundle+json;version=${version}`),
];
const MEMBERS = ["mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"];

/** True for a JSON object that can only be meant as a bundle. */
export function looksLikeBundle(value: JsonMap): boolean {
  return MEMBERS.some((name) => Object.hasOwn(value, name));
}

/** Throws Failure `attestation_malformed`, `envelope_malformed` or `evidence_too_large`. */
export function decodeBundle(value: JsonMap, from: string): Bundle {
  refuseTwins(value, MEMBERS, from, malformed);
  const { mediaType, verificationMaterial: material } = value;
  if (!MEDIA_TYPES.some((known) => known === mediaType))
    throw malformed(
      from,
      typeof mediaType === "string" ? `has media type ${quoted(mediaType)}` : "has no mediaType",
    );
  if (!isMap(material)) throw malformed(from, "has no verificationMaterial");
  if (value["messageSignature"] !== undefined)
    throw malformed(from, "carries a messageSignature, which says nothing about a predicate");
  const hint = hintOf(material, from);
  const envelope = decodeEnvelope(value["dsseEnvelope"], `the envelope in ${from}`);
  const [only, ...more] = envelope.signatures;
  // One hint cannot name two keys; the bundle format allows one signature.
  if (only === undefined || more.length > 0)
    throw malformed(from, `has ${envelope.signatures.length} signatures; a bundle has exactly one`);
  // Key-signed bundles of other tools leave the keyid out, which says the same as the hint alone.
  if (only.keyid !== null && only.keyid !== hint)
    throw malformed(from, `names two keys: the hint is ${quoted(hint)}, the keyid ${quoted(only.keyid)}`);
  return {
    envelope: { ...envelope, signatures: [{ ...only, keyid: hint }] },
    unchecked: uncheckedIn(material),
  };
}

function hintOf(material: JsonMap, from: string): string {
  const known = [
    "publicKey",
    "certificate",
    "x509CertificateChain",
    "tlogEntries",
    "timestampVerificationData",
  ];
  refuseTwins(material, known, from, malformed);
  const { publicKey, certificate, x509CertificateChain } = material;
  const certified = certificate !== undefined || x509CertificateChain !== undefined;
  if (publicKey === undefined && certified)
    throw malformed(
      from,
      "is signed with a certificate, which waybill does not check; wanted a public key hint",
    );
  if (certified) throw malformed(from, "has both a public key and a certificate");
  if (!isMap(publicKey)) throw malformed(from, "has no publicKey in its verificationMaterial");
  refuseTwins(publicKey, ["hint"], from, malformed);
  const { hint } = publicKey;
  if (typeof hint !== "string" || hint === "") throw malformed(from, "has no hint of its public key");
  return hint;
}

function uncheckedIn(material: JsonMap): string[] {
  const timestamps = material["timestampVerificationData"];
  const found: [string, number][] = [
    ["transparency log entries", lengthOf(material["tlogEntries"])],
    ["signed timestamps", isMap(timestamps) ? lengthOf(timestamps["rfc3161Timestamps"]) : 0],
  ];
  return found.filter(([, number]) => number > 0).map(([what, number]) => `${what}: ${number}`);
}

function lengthOf(value: JsonValue | undefined): number {
  return Array.isArray(value) ? value.length : 0;
}

/** A bundle v0.3 around an envelope with one signature, in one spelling, without a line break at the end. */
export function formatBundle(envelope: Envelope): string {
  const [only, ...more] = envelope.signatures;
  if (only === undefined || only.keyid === null || more.length > 0)
    throw new RangeError("a bundle has exactly one signature, with a keyid");
  return JSON.stringify({
    mediaType: MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: only.keyid } },
    dsseEnvelope: envelopeDocument(envelope),
  });
}

function malformed(from: string, found: string): Failure {
  return new Failure(
    "attestation_malformed",
    `${from} ${found}; wanted a Sigstore bundle with one DSSE envelope`,
  );
}
