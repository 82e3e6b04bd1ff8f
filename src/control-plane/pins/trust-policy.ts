import { isSha256, type Sha256 } from "../../base/digest.ts";
import { asFailure, Failure } from "../../base/failure.ts";
import type { JsonMap } from "../../base/json.ts";
import type { Attestation, FoundAttestations } from "../../trust/attestation.ts";
import { decodeEnvelope } from "../../trust/dsse.ts";
import type { VerifiedPolicy } from "../../trust/policy.ts";
import type { RepositoryName } from "../../trust/policy-document.ts";
import type { Subject } from "../../trust/trusted-key.ts";
import { verifyAttestations, type AttestationQuestion } from "../../trust/verify-attestation.ts";
import { WireRefusal } from "../http/wire.ts";
import type { Promotion } from "./promotion.ts";

/** What must be proven about a digest before it is pinned here, whatever the client checked by itself. */
export type TrustPolicy = {
  readonly policy: VerifiedPolicy;
  /** Of the bytes that were signed. */
  readonly sha256: Sha256;
  /** Whose signatures count beside those that the rules ask for; null leaves it to the rules. */
  readonly trusted: (subject: Subject, now: Date) => AttestationQuestion["trusted"];
  readonly repositoryName: RepositoryName;
};

/** A statement as the plane keeps it, under the digest of its envelope. */
export type KeptEnvelope = { readonly sha256: string; readonly envelope: JsonMap };

/** What a promotion was allowed by; it is kept with the change. */
export type PolicyProof = {
  readonly policy: { readonly name: string; readonly version: number; readonly sha256: string };
  /** The statements that satisfy every rule, by the digest of the bytes that were signed. */
  readonly evidence: readonly string[];
};

/**
 * Holds the kept statements about the very digest of the promotion against every rule for this environment and
 * template. Throws WireRefusal `policy_denied` with every reason; no statement at all is one.
 */
export function provenBy(
  { policy, sha256, trusted, repositoryName }: TrustPolicy,
  env: string,
  { template_name, image_digest }: Pick<Promotion, "template_name" | "image_digest">,
  kept: readonly KeptEnvelope[],
  now: Date,
): PolicyProof {
  const named = `policy ${policy.name}, version ${policy.version}`;
  if (now >= policy.expiresAt) {
    throw denied(`${named} expired at ${policy.expiresAt.toISOString()} and allows nothing`, []);
  }
  const subject = image_digest.slice("sha256:".length);
  if (!isSha256(subject)) throw new RangeError("an image digest without its digest");
  const refusals: Failure[] = [];
  const evidence: string[] = [];
  try {
    const verdict = verifyAttestations(found(kept), {
      subject,
      predicateType: null,
      trusted: trusted({ name: template_name, sha256: subject }, now),
      policy: { document: policy, place: { env, template: template_name }, repositoryName },
      now,
    });
    evidence.push(...verdict.accepted.map(({ payloadSha256 }) => payloadSha256));
    refusals.push(...verdict.refusals);
  } catch (error) {
    // Evidence that is too much to be tried is none.
    if (!(error instanceof Failure)) throw error;
    refusals.push(error);
  }
  if (evidence.length === 0) {
    const reasons = kept.length === 0 ? "no statement about this digest was handed in" : listed(refusals);
    throw denied(`${named}, does not allow ${image_digest} for ${template_name}: ${reasons}`, refusals);
  }
  return { policy: { name: policy.name, version: policy.version, sha256 }, evidence };
}

function found(kept: readonly KeptEnvelope[]): FoundAttestations {
  const attestations: Attestation[] = [];
  const refusals: Failure[] = [];
  for (const { sha256, envelope } of kept) {
    const from = `attestation ${sha256.slice(0, 12)}`;
    try {
      attestations.push({ from, format: "dsse", envelope: decodeEnvelope(envelope, from), unchecked: [] });
    } catch (error) {
      refusals.push(asFailure(error));
    }
  }
  return { attestations, refusals, skippedLines: 0 };
}

const SHOWN = 3;

function listed(refusals: readonly Failure[]): string {
  const shown = refusals.slice(0, SHOWN).map(({ message }) => message);
  const more = refusals.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; and ${more} more reasons` : ""}`;
}

function denied(text: string, refusals: readonly Failure[]): WireRefusal {
  const reasons = refusals.slice(0, 50).map(({ code, message }) => ({ code, message }));
  return new WireRefusal("policy_denied", text, {}, { refusals: reasons });
}
