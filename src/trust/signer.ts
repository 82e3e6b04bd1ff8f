import { joined } from "../base/bytes.ts";
import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { ArtifactFile } from "./artifact-file.ts";
import { faultySignature } from "./byte-signer.ts";
import { commitmentOf, expandSeed, responseTo, verifyNatively } from "./ed25519.ts";
import { MessageBeginning } from "./message-beginning.ts";
import type { SigningKey } from "./signing-key.ts";
import { StreamingVerifier } from "./streaming-verifier.ts";

/** Up to this size, in bytes, a signed file is also checked by the runtime, which wants it whole in memory. */
const SECOND_OPINION_BYTES = 67_108_864;

export type FileSignature = {
  /** 64 bytes, over the bytes of the file as they are (pure Ed25519). */
  readonly signature: Uint8Array;
  readonly sha256: Sha256;
  /** Bytes of the file. */
  readonly size: number;
};

/**
 * The raw signature of a file of any size in constant memory, checked before it is returned. Throws Failure, among
 * them `file_changed` when the file was not the same in every pass.
 */
export async function signFile(key: SigningKey, path: string, stop: AbortSignal): Promise<FileSignature> {
  const file = new ArtifactFile(path);
  try {
    return await signOpenFile(key, file, stop);
  } finally {
    file.close();
  }
}

async function signOpenFile(key: SigningKey, file: ArtifactFile, stop: AbortSignal): Promise<FileSignature> {
  const { scalar, prefix } = expandSeed(key.seed());
  const first = await digestAfter([prefix], file, stop);
  if (first.purpose !== null)
    throw new Failure("input_invalid", `${quoted(file.path)} begins like what ${first.purpose} is over`, {
      hint: "its raw signature would be one of that as well; sign it with --format minisign or ssh",
    });
  const { nonce, encoded } = commitmentOf(first.sha512);
  const second = await digestAfter([encoded, key.publicKey.bytes], file, stop);
  // Before S exists: two signatures with one nonce over different messages give away the private key.
  if (second.sha256 !== first.sha256) throw file.changed();
  const response = responseTo(second.sha512, nonce, scalar);
  const signature = joined(encoded, response);
  await check(key, signature, first.sha256, file, stop);
  return { signature, sha256: first.sha256, size: file.size };
}

/** One pass: SHA-512 over the prefixes and the file, and the file's own digest to tell one pass from the next. */
async function digestAfter(
  prefixes: readonly Uint8Array[],
  file: ArtifactFile,
  stop: AbortSignal,
): Promise<{ readonly sha512: Uint8Array; readonly sha256: Sha256; readonly purpose: string | null }> {
  const engine = new Bun.CryptoHasher("sha512");
  const hasher = new Hasher();
  const beginning = new MessageBeginning();
  for (const prefix of prefixes) engine.update(prefix);
  for await (const chunk of file.chunks(stop)) {
    engine.update(chunk);
    hasher.update(chunk);
    beginning.update(chunk);
  }
  return { sha512: engine.digest(), sha256: hasher.digest(), purpose: beginning.otherPurpose() };
}

/** A third pass, as a verifier would make it: a fault while signing must not leave the process. */
async function check(
  key: SigningKey,
  signature: Uint8Array,
  sha256: Sha256,
  file: ArtifactFile,
  stop: AbortSignal,
): Promise<void> {
  const verifier = new StreamingVerifier([key.publicKey], signature);
  const hasher = new Hasher();
  const whole = file.size <= SECOND_OPINION_BYTES ? new Uint8Array(file.size) : null;
  let length = 0;
  for await (const chunk of file.chunks(stop)) {
    verifier.update(chunk);
    hasher.update(chunk);
    whole?.set(chunk, length);
    length += chunk.length;
  }
  if (hasher.digest() !== sha256) throw file.changed();
  if (verifier.finish() === null) throw faultySignature();
  if (whole !== null && !verifyNatively(signature, whole, key.publicKey.bytes)) throw faultySignature();
}
