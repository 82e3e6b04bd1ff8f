import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { ArtifactFile } from "./artifact-file.ts";
import type { PublicKey } from "./public-key.ts";
import { StreamingVerifier } from "./streaming-verifier.ts";

/** What an artifact shall be held against: at least one of the two. */
export type ArtifactClaims = {
  readonly sha256: Sha256 | null;
  readonly signature: SignatureClaim | null;
};

/** A raw signature by one of these keys; a Failure in its place is evidence that was already found malformed. */
export type SignatureClaim = { readonly bytes: Uint8Array | Failure; readonly keys: readonly PublicKey[] };

export type Accepted =
  | { readonly kind: "sha256"; readonly sha256: Sha256 }
  | { readonly kind: "signature"; readonly format: "raw"; readonly keyid: string };

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
    const { signature } = claims;
    const verifier =
      signature === null || signature.bytes instanceof Failure
        ? null
        : new StreamingVerifier(signature.keys, signature.bytes);
    const hasher = new Hasher();
    for await (const chunk of file.chunks(stop)) {
      hasher.update(chunk);
      verifier?.update(chunk);
    }
    const sha256 = hasher.digest();
    const findings: (Accepted | Failure)[] = [];
    if (claims.sha256 !== null) findings.push(judgeDigest(path, sha256, claims.sha256));
    if (signature !== null) findings.push(judgeSignature(path, signature, verifier?.finish() ?? null));
    return {
      size: file.size,
      sha256,
      checked: findings.length,
      accepted: findings.flatMap((finding) => (finding instanceof Failure ? [] : [finding])),
      refusals: findings.filter((finding) => finding instanceof Failure),
    };
  } finally {
    file.close();
  }
}

function judgeDigest(path: string, found: Sha256, wanted: Sha256): Accepted | Failure {
  if (found === wanted) return { kind: "sha256", sha256: found };
  return new Failure("hash_mismatch", `artifact ${quoted(path)} has sha256 ${found}; wanted ${wanted}`, {
    hint: "the file is another build, cut short, or was changed on its way",
  });
}

function judgeSignature(path: string, claim: SignatureClaim, signer: PublicKey | null): Accepted | Failure {
  if (claim.bytes instanceof Failure) return claim.bytes;
  if (signer !== null) return { kind: "signature", format: "raw", keyid: signer.keyid };
  const keys = claim.keys.map((key) => key.keyid).join(", ");
  return new Failure(
    "signature_invalid",
    `the signature of ${quoted(path)} does not verify under key ${keys}`,
    {
      hint: "it was made by another key, for another file, or the file was changed afterwards",
    },
  );
}
