import type { Sha256 } from "../../base/digest.ts";
import { toBase64 } from "../../base/encoding.ts";
import { Hasher } from "../../base/hashing.ts";
import { ArtifactFile } from "../../trust/artifact-file.ts";
import { addonStatement, type AddonClaims } from "../../trust/attestation-addon.ts";
import { addSignature, formatEnvelope, signEnvelope } from "../../trust/dsse.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../trust/statement.ts";
import { signFile } from "../../trust/signer.ts";
import type { SigningKey } from "../../trust/signing-key.ts";

/** What an artifact is published with. */
export type PublishedProof = {
  readonly sha256: Sha256;
  readonly size: number;
  /** base64 of 64 bytes by the first key, over the bytes; "" without any key. */
  readonly signature: string;
  /** The envelope of the statement that every key signed, or "". */
  readonly statement: string;
};

/**
 * What the bytes of a file are, the signature of the first key over them, and the statement of all of them: hosts that
 * want several keys count those of the statement, as the bytes carry one.
 */
export async function proofOf(
  file: string,
  keys: readonly SigningKey[],
  claims: Omit<AddonClaims, "size">,
  stop: AbortSignal,
): Promise<PublishedProof> {
  const [first, ...others] = keys;
  if (first === undefined) return { ...(await digestOf(file, stop)), signature: "", statement: "" };
  const { sha256, size, signature } = await signFile(first, file, stop);
  const payload = formatStatement(addonStatement(sha256, { ...claims, size }));
  const begun = signEnvelope(first, STATEMENT_PAYLOAD_TYPE, payload);
  const envelope = others.reduce((signed, key) => addSignature(key, signed), begun);
  return { sha256, size, signature: toBase64(signature), statement: formatEnvelope(envelope) };
}

export async function digestOf(
  file: string,
  stop: AbortSignal,
): Promise<{ readonly sha256: Sha256; readonly size: number }> {
  const artifact = new ArtifactFile(file);
  try {
    const hasher = new Hasher();
    for await (const chunk of artifact.chunks(stop)) hasher.update(chunk);
    return { sha256: hasher.digest(), size: artifact.size };
  } finally {
    artifact.close();
  }
}
