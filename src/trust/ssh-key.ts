import { joined } from "../base/bytes.ts";
import { fromBase64, toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { NotSsh, SshReader, sshString } from "./ssh-wire.ts";

/** OpenSSH public keys in one line: `ssh-ed25519 AAAA… comment` (RFC 4253 §6.6, RFC 8709 §4). */

export const SSH_ED25519 = "ssh-ed25519";
const KEY_TYPE = /^(?:ssh-|ecdsa-sha2-|sk-)[a-zA-Z0-9@.-]+(?=\s)/u;

export function looksLikeSshKey(text: string): boolean {
  return KEY_TYPE.test(text);
}

/** The 32 bytes of the key. Throws Failure `key_invalid`, which names another algorithm. */
export function parseSshKey(text: string, from: string): Uint8Array {
  const [type = "", base64 = ""] = text.split(/\s+/u);
  if (type !== SSH_ED25519)
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH key of type ${quoted(type, 60)}, an unsupported key type; wanted ${SSH_ED25519}`,
    );
  if (/[\r\n]/u.test(text))
    throw new Failure("key_invalid", `${from} has more than one line; wanted one OpenSSH key`);
  const blob = fromBase64(base64);
  const found = blob === null ? null : sshBlobKey(blob);
  if (found === null)
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH key whose base64 part is not a whole ${SSH_ED25519} key`,
    );
  if (found.length !== KEY_BYTES)
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH key of ${found.length} bytes; wanted ${KEY_BYTES}`,
    );
  return found;
}

/** The key in a public-key blob of Ed25519, of whatever length it claims; null when the blob is something else. */
function sshBlobKey(blob: Uint8Array): Uint8Array | null {
  try {
    const reader = new SshReader(blob);
    if (reader.word() !== SSH_ED25519) return null;
    const key = reader.string();
    reader.end();
    return key.slice();
  } catch (error) {
    if (error instanceof NotSsh) return null;
    throw error;
  }
}

/** The blob that a line holds in base64, and a signature or a private key in binary. */
export function sshKeyBlob(key: Uint8Array): Uint8Array {
  return joined(sshString(SSH_ED25519), sshString(key));
}

export function formatSshKey(key: Uint8Array, comment = ""): string {
  return `${SSH_ED25519} ${toBase64(sshKeyBlob(key))}${comment === "" ? "" : ` ${comment}`}`;
}

/** `SHA256:…`, as ssh-keygen -l and the logs of sshd show a key. */
export function sshFingerprint(key: Uint8Array): string {
  const digest = Buffer.from(sha256Of(sshKeyBlob(key)), "hex").toString("base64");
  return `SHA256:${digest.replace("=", "")}`;
}
