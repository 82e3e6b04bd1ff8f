import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { inPlace } from "./attestation-refusals.ts";
import { verifyEnvelope, type Envelope } from "./dsse.ts";
import { parsePolicy, type Policy, type RepositoryName } from "./policy-document.ts";
import type { PublicKey } from "./public-key.ts";
import { distrustedSigners, type TrustedSigners } from "./trusted-signers.ts";

/** A policy whose signatures and validity were checked. Made only by `openPolicy`. */
export type VerifiedPolicy = Policy & {
  readonly signers: readonly PublicKey[];
  readonly __verified: unique symbol;
};

/** What identifies a policy that was seen: exactly these bytes, under this name and version. */
export type SeenPolicy = { readonly name: string; readonly version: number; readonly sha256: Sha256 };

/** Its own type, so that no signature over something else can ever be taken for one over a policy. */
export const POLICY_PAYLOAD_TYPE = "application/vnd.waybill.policy.v1+json";

export type OpenedPolicy =
  | { readonly ok: true; readonly policy: VerifiedPolicy; readonly sha256: Sha256 }
  | { readonly ok: false; readonly refusals: readonly Failure[] };

/**
 * A policy out of its envelope: signed by enough of those who may, of the right type, issued and not expired at `now`.
 * Every refusal is listed. Throws Failure `policy_invalid` for a well-signed policy that cannot be understood.
 */
export function openPolicy(
  envelope: Envelope,
  from: string,
  signedBy: TrustedSigners,
  now: Date,
  repositoryName: RepositoryName,
): OpenedPolicy {
  const verdict = verifyEnvelope(envelope, signedBy.keys, signedBy.threshold);
  const untrusted = verdict.ok
    ? []
    : [...verdict.refusals, ...distrustedSigners(envelope, signedBy.distrusted)];
  const refusals = untrusted.map((refusal) => inPlace(from, refusal));
  if (envelope.payloadType !== POLICY_PAYLOAD_TYPE)
    refusals.push(
      new Failure(
        "payload_type_mismatch",
        `${from} is signed as ${quoted(envelope.payloadType)}; wanted ${quoted(POLICY_PAYLOAD_TYPE)}`,
        { hint: "sign a policy with: waybill policy sign" },
      ),
    );
  // What nobody vouches for is not even read.
  if (!verdict.ok || refusals.length > 0) return { ok: false, refusals };
  const policy = parsePolicy(verdict.payload, from, repositoryName);
  const untimely = validityRefusal(policy, from, now);
  if (untimely !== null) return { ok: false, refusals: [untimely] };
  // The one place where a policy becomes a verified one.
  const verified = { ...policy, signers: verdict.signers } as VerifiedPolicy; // oxlint-disable-line typescript/no-unsafe-type-assertion
  return { ok: true, policy: verified, sha256: sha256Of(verdict.payload) };
}

/**
 * Whether a policy is newer than the one that was seen; false when it is the same. Throws Failure `policy_rollback`
 * for an older one, for another one of the same version, and for one of another name: until it expires, an old policy
 * is as well signed as the one that replaced it.
 */
export function policyRises(seen: SeenPolicy, found: SeenPolicy, from: string): boolean {
  const { name, version } = found;
  if (name === seen.name && version > seen.version) return true;
  if (name === seen.name && version === seen.version && found.sha256 === seen.sha256) return false;
  const what =
    name !== seen.name
      ? `is ${quoted(name)}, another policy than the ${quoted(seen.name)} that`
      : version === seen.version
        ? `is another version ${version} than the one that`
        : `is version ${version}, older than the version ${seen.version} that`;
  throw new Failure("policy_rollback", `${from} ${what} was seen before`, {
    hint: "an old policy may allow what the current one does not; get the current one",
  });
}

function validityRefusal(policy: Policy, from: string, now: Date): Failure | null {
  if (now >= policy.expiresAt)
    return new Failure("policy_expired", `${from} expired at ${policy.expiresAt.toISOString()}`, {
      hint: "sign a new one; an expired policy allows nothing",
    });
  // Also what a clock that was set back looks like.
  if (now.getTime() + LIMITS.clockSkewMs < policy.issuedAt.getTime())
    return new Failure(
      "policy_not_yet_valid",
      `${from} is issued at ${policy.issuedAt.toISOString()}, and this machine's clock says ${now.toISOString()}`,
      { hint: "set the clock" },
    );
  return null;
}
