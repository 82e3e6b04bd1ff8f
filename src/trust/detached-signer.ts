import { basename } from "node:path";
import { toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { ArtifactFile } from "./artifact-file.ts";
import { parseDetachedSignature } from "./detached-signature.ts";
import { shownKeyNumber } from "./key-forms.ts";
import { formatMinisignSignature, globalMessage, trustedCommentOf } from "./minisign-signature.ts";
import { keyNumberOf } from "./public-key.ts";
import { proveSignature } from "./signature-proof.ts";
import { faultySignature, signBytes } from "./byte-signer.ts";
import type { SigningKey } from "./signing-key.ts";
import { formatSshSignature, sshSignedData } from "./sshsig.ts";

/** The formats that sign a digest of the file, so that no size is too large; what they need besides the key. */
export type DetachedFormat =
  | { readonly format: "minisign"; readonly now: Date }
  | { readonly format: "ssh"; readonly namespace: string };

export type DetachedFileSignature = {
  /** The whole signature file. */
  readonly text: string;
  /** The 64 bytes in it, in base64. */
  readonly signature: string;
  readonly sha256: Sha256;
  /** Bytes of the signed file. */
  readonly size: number;
};

/**
 * The signature file for a file of any size. It is read back and verified in a second pass over the file, as somebody
 * else would, before it is returned. Throws Failure, among them `file_changed`.
 */
export async function signDetached(
  key: SigningKey,
  path: string,
  wanted: DetachedFormat,
  stop: AbortSignal,
): Promise<DetachedFileSignature> {
  const file = new ArtifactFile(path);
  try {
    const engine = new Bun.CryptoHasher(wanted.format === "minisign" ? "blake2b512" : "sha512");
    const hasher = new Hasher();
    for await (const chunk of file.chunks(stop)) {
      engine.update(chunk);
      hasher.update(chunk);
    }
    const sha256 = hasher.digest();
    const digest = new Uint8Array(engine.digest());
    const made =
      wanted.format === "minisign"
        ? minisignText(key, digest, path, wanted.now)
        : sshText(key, digest, wanted.namespace);
    await check(key, made.text, wanted, { file, sha256 }, stop);
    return { ...made, sha256, size: file.size };
  } finally {
    file.close();
  }
}

type Made = { readonly text: string; readonly signature: string };

function minisignText(key: SigningKey, digest: Uint8Array, path: string, now: Date): Made {
  const keyNumber = keyNumberOf(key.publicKey);
  const signature = signBytes(key, digest);
  const trustedComment = trustedCommentOf(basename(path), now);
  const globalSignature = signBytes(key, globalMessage(signature, trustedComment));
  const text = formatMinisignSignature(
    { algorithm: "ED", keyNumber, signature, trustedComment, globalSignature },
    `signature from waybill key ${shownKeyNumber(keyNumber)}`,
  );
  return { text, signature: toBase64(signature) };
}

function sshText(key: SigningKey, digest: Uint8Array, namespace: string): Made {
  const signature = signBytes(key, sshSignedData(namespace, "sha512", digest));
  const text = formatSshSignature({ key: key.publicKey.bytes, namespace, hash: "sha512", signature });
  return { text, signature: toBase64(signature) };
}

async function check(
  key: SigningKey,
  text: string,
  wanted: DetachedFormat,
  signed: { readonly file: ArtifactFile; readonly sha256: Sha256 },
  stop: AbortSignal,
): Promise<void> {
  const read = parseDetachedSignature(new TextEncoder().encode(text), wanted.format, "the new signature");
  const namespace = wanted.format === "ssh" ? wanted.namespace : "";
  const rules = { keys: [key.publicKey], namespace, allowLegacy: false };
  const proof = proveSignature(read, rules, "the file");
  const hasher = new Hasher();
  for await (const chunk of signed.file.chunks(stop)) {
    hasher.update(chunk);
    proof.update(chunk);
  }
  if (hasher.digest() !== signed.sha256) throw signed.file.changed();
  if (proof.finish() instanceof Failure) throw faultySignature();
}
