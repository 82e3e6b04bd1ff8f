import { joined } from "../base/bytes.ts";
import { fromPaddedBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { KEY_BYTES, SIGNATURE_BYTES } from "./ed25519.ts";
import { SSHSIG_BEGINS as MAGIC } from "./message-beginning.ts";
import { pem } from "./pem.ts";
import { SSH_ED25519, sshKeyBlob } from "./ssh-key.ts";
import { NotSsh, SshReader, sshString, sshUint32 } from "./ssh-wire.ts";

/** Detached signatures of ssh-keygen -Y (PROTOCOL.sshsig): the armor, the blob, and what the signature covers. */

export type SshHash = "sha256" | "sha512";

export type SshSignature = {
  readonly format: "ssh";
  /** 32 bytes that the file claims for its signer. */
  readonly key: Uint8Array;
  readonly namespace: string;
  readonly hash: SshHash;
  readonly signature: Uint8Array;
};

/** A signature for a file means nothing as a commit or a login: the namespace of what waybill signs by default. */
export const DEFAULT_NAMESPACE = "artifact@waybill";

const LABEL = "SSH SIGNATURE";
const BEGIN = `-----BEGIN ${LABEL}-----\n`;
const END = `\n-----END ${LABEL}-----`;
const VERSION = 1;

export function looksLikeSshSignature(text: string): boolean {
  return text.includes(BEGIN.trimEnd());
}

/** A namespace as it may be given: one word without quotes or commas, which allowed_signers could not name. */
export function isNamespace(text: string): boolean {
  return /^[!#-+\--~]{1,255}$/u.test(text);
}

/** The bytes that an SSH key signs for a file with this digest. */
export function sshSignedData(namespace: string, hash: SshHash, digest: Uint8Array): Uint8Array {
  return joined(ascii(MAGIC), sshString(namespace), sshString(""), sshString(hash), sshString(digest));
}

export function formatSshSignature(signature: Omit<SshSignature, "format">): string {
  const blob = joined(
    ascii(MAGIC),
    sshUint32(VERSION),
    sshString(sshKeyBlob(signature.key)),
    sshString(signature.namespace),
    sshString(""),
    sshString(signature.hash),
    sshString(joined(sshString(SSH_ED25519), sshString(signature.signature))),
  );
  return pem(LABEL, blob, 70);
}

/**
 * As strict as ssh-keygen about the armor: it begins with the first byte, its first line ends with a line feed alone,
 * white space of C inside is nothing; text after it is not part of it. Throws Failure `signature_malformed`, or
 * `signature_unsupported` for another kind of key.
 */
export function parseSshSignature(file: Uint8Array, from: string): SshSignature {
  const text = Buffer.from(file).toString("latin1");
  if (!text.startsWith(BEGIN)) throw malformed(from, `it does not begin with the line "${BEGIN.trimEnd()}"`);
  const end = text.indexOf(END);
  if (end === -1) throw malformed(from, `it has no line "${END.trim()}"`);
  const body = text.slice(BEGIN.length, end).replaceAll(/[ \t-\r]/gu, "");
  const blob = fromPaddedBase64(body);
  if (blob === null) throw malformed(from, "its body is not base64");
  try {
    return readBlob(blob, from);
  } catch (error) {
    if (error instanceof NotSsh) throw malformed(from, error.message);
    throw error;
  }
}

function readBlob(blob: Uint8Array, from: string): SshSignature {
  const reader = new SshReader(blob);
  if (Buffer.from(reader.take(MAGIC.length)).toString("latin1") !== MAGIC)
    throw new NotSsh("another kind of blob");
  const version = reader.uint32();
  if (version !== VERSION) throw unsupported(from, `version ${version}; wanted ${VERSION}`);
  const key = readKey(new SshReader(reader.string()), from);
  const namespace = reader.word();
  if (namespace === "") throw new NotSsh("an empty namespace");
  // Nobody signs it: ssh-keygen ignores it, so two files that differ only there would be one signature.
  if (reader.string().length > 0) throw new NotSsh("a reserved field that is not empty");
  const hash = reader.word();
  if (hash !== "sha256" && hash !== "sha512")
    throw unsupported(from, `the hash ${quoted(hash, 40)}; wanted sha512 or sha256`);
  const inner = new SshReader(reader.string());
  reader.end();
  const type = inner.word();
  if (type !== SSH_ED25519)
    throw unsupported(from, `a signature of type ${quoted(type, 60)}; wanted ${SSH_ED25519}`);
  const signature = inner.string();
  inner.end();
  if (signature.length !== SIGNATURE_BYTES) throw new NotSsh(`a signature of ${signature.length} bytes`);
  return { format: "ssh", key, namespace, hash, signature: signature.slice() };
}

function readKey(reader: SshReader, from: string): Uint8Array {
  const type = reader.word();
  if (type !== SSH_ED25519)
    throw unsupported(from, `the unsupported key type ${quoted(type, 60)}; wanted ${SSH_ED25519}`);
  const key = reader.string();
  reader.end();
  if (key.length !== KEY_BYTES) throw new NotSsh(`a key of ${key.length} bytes`);
  return key.slice();
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function malformed(from: string, found: string): Failure {
  return new Failure("signature_malformed", `${from} is no whole OpenSSH signature: ${found}`);
}

function unsupported(from: string, found: string): Failure {
  return new Failure("signature_unsupported", `${from} is an OpenSSH signature with ${found}`, {
    hint: "waybill checks Ed25519 signatures alone: sign with an ssh-ed25519 key, or check it with ssh-keygen -Y verify",
  });
}
