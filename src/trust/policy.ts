import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { verifyEnvelope, type Envelope } from "./dsse.ts";
import { parsePolicy, type Policy, type RepositoryName } from "./policy-document.ts";
import type { PublicKey } from "./public-key.ts";

/** A policy whose signatures and validity were checked. Made only by `openPolicy`. */
export type VerifiedPolicy = Policy & {
  readonly signers: readonly PublicKey[];
  readonly __verified: unique symbol;
};

/** Its own type, so that no signature over something else can ever be taken for one over a policy. */
export const POLICY_PAYLOAD_TYPE = "application/vnd.waybill.policy.v1+json";

/** A clock that lags behind the signer's by this much is forgiven. */
const SKEW_MS = 300_000;

export type OpenedPolicy =
  | { readonly ok: true; readonly policy: VerifiedPolicy }
  | { readonly ok: false; readonly refusals: readonly Failure[] };

/**
 * A policy out of its envelope: signed by `threshold` of `keys`, of the right type, issued and not expired at `now`.
 * Every refusal is listed. Throws Failure `policy_invalid` for a well-signed policy that cannot be understood.
 */
export function openPolicy(
  envelope: Envelope,
  from: string,
  signedBy: { readonly keys: readonly PublicKey[]; readonly threshold: number },
  now: Date,
  repositoryName: RepositoryName,
): OpenedPolicy {
  const verdict = verifyEnvelope(envelope, signedBy.keys, signedBy.threshold);
  const refusals: Failure[] = verdict.ok ? [] : verdict.refusals.map((refusal) => inPolicy(from, refusal));
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
  return { ok: true, policy: { ...policy, signers: verdict.signers } as VerifiedPolicy }; // oxlint-disable-line typescript/no-unsafe-type-assertion
}

function validityRefusal(policy: Policy, from: string, now: Date): Failure | null {
  if (now >= policy.expiresAt)
    return new Failure("policy_expired", `${from} expired at ${policy.expiresAt.toISOString()}`, {
      hint: "sign a new one; an expired policy allows nothing",
    });
  // Also what a clock that was set back looks like.
  if (now.getTime() + SKEW_MS < policy.issuedAt.getTime())
    return new Failure(
      "policy_not_yet_valid",
      `${from} is issued at ${policy.issuedAt.toISOString()}, and this machine's clock says ${now.toISOString()}`,
      { hint: "set the clock" },
    );
  return null;
}

function inPolicy(from: string, refusal: Failure): Failure {
  return new Failure(refusal.code, `${from}: ${refusal.message}`, refusal);
}
