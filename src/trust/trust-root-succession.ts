import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { sha256Of } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { verifyEnvelope, type Envelope } from "./dsse.ts";
import type { PublicKey } from "./public-key.ts";
import { ROOT_ROLE, rootKeys, thresholdFor, TRUST_ROOT_TYPE, type TrustRoot } from "./trust-root.ts";
import { parseTrustRoot } from "./trust-root-document.ts";
import { signersIn } from "./trust-root-signers.ts";

/** A root whose own root keys signed it, and the digest of exactly what they signed. */
export type SignedRoot = { readonly root: TrustRoot; readonly sha256: Sha256 } & {
  readonly __signed: unique symbol;
};

/** What a root was when it was seen last. */
export type SeenRoot = { readonly version: number; readonly sha256: Sha256 };

/** The root in an envelope, whoever signed it. Throws Failure `payload_type_mismatch` or `trust_root_invalid`. */
export function readUnsignedRoot(envelope: Envelope, from: string): TrustRoot {
  if (envelope.payloadType !== TRUST_ROOT_TYPE)
    throw new Failure(
      "payload_type_mismatch",
      `${from} is an envelope of ${quoted(envelope.payloadType)}; wanted ${TRUST_ROOT_TYPE}`,
    );
  return parseTrustRoot(envelope.payload, from);
}

/**
 * The root that somebody chose to trust: signed by the threshold of its own root keys. Throws Failure
 * `trust_root_invalid`, `key_weak`, `payload_type_mismatch`, `threshold_not_met` or `evidence_too_large`.
 */
export function readSignedRoot(envelope: Envelope, from: string): SignedRoot {
  const root = readUnsignedRoot(envelope, from);
  demand(envelope, rootKeys(root), thresholdFor(root, ROOT_ROLE), `${from}: of its own root keys`);
  // The one place where a checked root becomes a SignedRoot.
  return { root, sha256: sha256Of(envelope.payload) } as SignedRoot; // oxlint-disable-line typescript/no-unsafe-type-assertion
}

/**
 * The next root: signed by the threshold of the held root's root keys and by that of its own, all valid now, and of a
 * higher version. Null when it is the held one. Throws Failure as `readSignedRoot`, or `trust_root_rollback`.
 */
export function succeed(held: SignedRoot, envelope: Envelope, from: string, now: Date): SignedRoot | null {
  const next = readSignedRoot(envelope, from);
  if (!rises({ version: held.root.version, sha256: held.sha256 }, next, from)) return null;
  for (const [root, whose] of [
    [held.root, "the root that is held"],
    [next.root, "the new root"],
  ] as const) {
    const { keys, threshold } = signersIn(root, ROOT_ROLE, null, now);
    demand(envelope, keys, threshold, `${from}: of the root keys of ${whose}`);
  }
  return next;
}

/**
 * Whether a root is newer than what was seen; false when it is the same. Throws Failure `trust_root_rollback` for an
 * older one, and for another one of the same version: one of the two is not what everybody else sees.
 */
export function rises(seen: SeenRoot, found: SignedRoot, from: string): boolean {
  const { version } = found.root;
  if (version > seen.version) return true;
  if (version === seen.version && found.sha256 === seen.sha256) return false;
  const what =
    version === seen.version ? `another version ${version} than` : `version ${version}, older than`;
  throw new Failure(
    "trust_root_rollback",
    `${from} is ${what} the version ${seen.version} that was seen before`,
    {
      hint: "an old root may trust keys that were revoked since; get the current one",
    },
  );
}

function demand(envelope: Envelope, keys: readonly PublicKey[], threshold: number, what: string): void {
  const verdict = verifyEnvelope(envelope, keys, threshold);
  if (verdict.ok) return;
  const found = verdict.signers.length;
  throw new Failure("threshold_not_met", `${what} ${found} signed it; wanted ${threshold}`, {
    hint: "add signatures with: waybill key trust sign FILE --key ROOT-KEY",
  });
}
