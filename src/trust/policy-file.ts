import { isMap } from "../base/decode.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded } from "../host/files.ts";
import {
  addSignature,
  decodeEnvelope,
  formatEnvelope,
  parseEnvelope,
  signEnvelope,
  type Envelope,
} from "./dsse.ts";
import { POLICY_PAYLOAD_TYPE } from "./policy.ts";
import { parsePolicy, POLICY_SCHEMA, type Policy, type RepositoryName } from "./policy-document.ts";
import { writePublicOutput } from "./public-output.ts";
import type { SigningKey } from "./signing-key.ts";

/** The envelope of a policy file. Throws Failure `file_unreadable`, `signature_invalid` or `envelope_malformed`. */
export function readPolicyEnvelope(path: string): Envelope {
  const bytes = readBounded(path, LIMITS.documentBytes, "policy");
  const from = nameOf(path);
  try {
    return parseEnvelope(bytes, from);
  } catch (error) {
    if (plainPolicy(bytes))
      throw new Failure("signature_invalid", `${from} is not signed`, {
        hint: "sign it with: waybill policy sign",
      });
    throw error;
  }
}

/** A policy that was signed, with everybody who signed it. */
type SignedPolicy = { readonly policy: Policy; readonly envelope: Envelope };

/** Whether a file is a policy in an envelope, and not the policy itself. Throws Failure as `signPolicy`. */
export function isSignedPolicy(path: string): boolean {
  return signedAlready(readBounded(path, LIMITS.documentBytes, "policy"), nameOf(path)) !== null;
}

/**
 * Signs the bytes of a policy as they are, or adds a signature to one that others signed already. What would be
 * refused later is refused now. Throws Failure `policy_invalid`, `envelope_malformed` and those of a key.
 */
export function signPolicy(path: string, key: SigningKey, repositoryName: RepositoryName): SignedPolicy {
  const bytes = readBounded(path, LIMITS.documentBytes, "policy");
  const from = nameOf(path);
  const envelope = signedAlready(bytes, from);
  const payload = envelope?.payload ?? bytes;
  const policy = parsePolicy(payload, from, repositoryName);
  return {
    policy,
    envelope:
      envelope === null ? signEnvelope(key, POLICY_PAYLOAD_TYPE, payload) : addSignature(key, envelope),
  };
}

/** Throws Failure `output_not_written`. */
export function writePolicy(envelope: Envelope, out: string): void {
  writePublicOutput(out, `${formatEnvelope(envelope)}\n`);
}

function signedAlready(bytes: Uint8Array, from: string): Envelope | null {
  const value = parseJson(bytes, { what: from, code: "policy_invalid" });
  if (!isMap(value) || !Object.hasOwn(value, "payloadType")) return null;
  const envelope = decodeEnvelope(value, from);
  if (envelope.payloadType === POLICY_PAYLOAD_TYPE) return envelope;
  throw new Failure(
    "payload_type_mismatch",
    `${from} is an envelope of ${quoted(envelope.payloadType)}, no policy`,
  );
}

function plainPolicy(bytes: Uint8Array): boolean {
  try {
    const value = parseJson(bytes, { what: "policy", code: "policy_invalid" });
    return isMap(value) && value["schema"] === POLICY_SCHEMA;
  } catch (error) {
    if (asFailure(error).code !== "policy_invalid") throw error;
    return false;
  }
}

function nameOf(path: string): string {
  return `policy ${quoted(path)}`;
}
