import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { ArtifactFile } from "./artifact-file.ts";
import type { DetachedSignature, SignatureFormat } from "./detached-signature.ts";
import { proveSignature, type SignatureRules, type Signer } from "./signature-proof.ts";

/** What an artifact shall be held against: at least a digest or one signature. */
export type ArtifactClaims = {
  readonly sha256: Sha256 | null;
  readonly signatures: readonly SignatureClaim[];
  readonly rules: SignatureRules;
  readonly judge: SignerJudge;
  /** Distinct keys that must have signed, when there is a signature at all. */
  readonly threshold: number;
};

/** A detached signature; a Failure in its place is evidence that was already found malformed. */
type SignatureClaim = {
  readonly signature: DetachedSignature | Failure;
  /** Whether somebody said which format it is in. */
  readonly formatNamed: boolean;
};

/** Whether a key that did sign counts for this artifact: its name in the trust, or why not. */
export type SignerJudge = (signer: Signer, sha256: Sha256) => string | null | Failure;

export type Accepted =
  | { readonly kind: "sha256"; readonly sha256: Sha256 }
  | {
      readonly kind: "signature";
      readonly format: SignatureFormat;
      readonly keyid: string;
      /** What the trust root or the allowed signers call the signer. */
      readonly name?: string;
      readonly trusted_comment?: string;
      readonly namespace?: string;
    };

export type ArtifactVerdict = {
  readonly size: number;
  readonly sha256: Sha256;
  /** Claims that were judged. */
  readonly checked: number;
  readonly accepted: readonly Accepted[];
  /** Every claim that did not hold, each with its reason. */
  readonly refusals: readonly Failure[];
};

/** Holds a file against every claim in one pass and constant memory. Throws Failure when it cannot be read. */
export async function proveArtifact(
  path: string,
  claims: ArtifactClaims,
  stop: AbortSignal,
): Promise<ArtifactVerdict> {
  const file = new ArtifactFile(path);
  try {
    const proofs = claims.signatures.map((claim) => startProof(claim, claims.rules, quoted(path)));
    const hasher = new Hasher();
    for await (const chunk of file.chunks(stop)) {
      hasher.update(chunk);
      for (const proof of proofs) proof.update(chunk);
    }
    const sha256 = hasher.digest();
    const findings: (Accepted | Failure)[] = proofs.map((proof) => proof.finish(sha256, claims.judge));
    if (claims.sha256 !== null) findings.unshift(judgeDigest(path, sha256, claims.sha256));
    const refusals = findings.filter((finding) => finding instanceof Failure);
    const accepted = findings.flatMap((finding) => (finding instanceof Failure ? [] : [finding]));
    const missing = proofs.length === 0 ? null : tooFewSigners(accepted, claims.threshold);
    return {
      size: file.size,
      sha256,
      checked: findings.length,
      accepted,
      // Beside a signature that does not hold it would say nothing new.
      refusals: missing === null || refusals.length > 0 ? refusals : [missing],
    };
  } finally {
    file.close();
  }
}

type Proof = {
  readonly update: (chunk: Uint8Array) => void;
  readonly finish: (sha256: Sha256, judge: SignerJudge) => Accepted | Failure;
};

function startProof({ signature, formatNamed }: SignatureClaim, rules: SignatureRules, what: string): Proof {
  if (signature instanceof Failure) return { update: () => {}, finish: () => signature };
  const { format } = signature;
  const named = (format === "signify" || format === "raw") && formatNamed;
  const proof = proveSignature(signature, { ...rules, allowLegacy: rules.allowLegacy || named }, what);
  return {
    update: proof.update,
    finish: (sha256, judge) => {
      const signer = proof.finish();
      if (signer instanceof Failure) return signer;
      const name = judge(signer, sha256);
      if (name instanceof Failure) return name;
      const { trustedComment, namespace } = signer;
      return {
        kind: "signature",
        format,
        keyid: signer.key.keyid,
        ...(name === null ? {} : { name }),
        ...(trustedComment === null ? {} : { trusted_comment: trustedComment }),
        ...(namespace === null ? {} : { namespace }),
      };
    },
  };
}

function judgeDigest(path: string, found: Sha256, wanted: Sha256): Accepted | Failure {
  if (found === wanted) return { kind: "sha256", sha256: found };
  return new Failure("hash_mismatch", `artifact ${quoted(path)} has sha256 ${found}; wanted ${wanted}`, {
    hint: "the file is another build, cut short, or was changed on its way",
  });
}

/** Keys are counted, not signatures: one key may sign in every format. */
function tooFewSigners(accepted: readonly Accepted[], threshold: number): Failure | null {
  const signers = new Set(accepted.flatMap((one) => (one.kind === "signature" ? [one.keyid] : [])));
  if (signers.size >= threshold) return null;
  return new Failure("threshold_not_met", `${signers.size} of ${threshold} wanted keys signed the artifact`, {
    hint: "pass the signatures of several keys, each with a --signature of its own",
  });
}
