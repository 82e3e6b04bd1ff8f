import { fromBase64, toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { KEY_BYTES } from "./ed25519.ts";

/** OpenSSH public keys in one line: `ssh-ed25519 AAAA… comment` (RFC 4253 §6.6, RFC 8709 §4). */

const ED25519 = "ssh-ed25519";
const KEY_TYPE = /^(?:ssh-|ecdsa-sha2-|sk-)[a-zA-Z0-9@.-]+(?=\s)/u;

export function looksLikeSshKey(text: string): boolean {
  return KEY_TYPE.test(text);
}

/** The 32 bytes of the key. Throws Failure `key_invalid`, which names another algorithm. */
export function parseSshKey(text: string, from: string): Uint8Array {
  const [type = "", base64 = ""] = text.split(/\s+/u, 2);
  if (type !== ED25519)
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH key of type ${quoted(type, 60)}; wanted ${ED25519}`,
    );
  if (/[\r\n]/u.test(text))
    throw new Failure("key_invalid", `${from} has more than one line; wanted one OpenSSH key`);
  const blob = fromBase64(base64);
  const [inner, key, ...rest] = blob === null ? [] : sshStrings(blob);
  if (
    inner === undefined ||
    key === undefined ||
    rest.length > 0 ||
    new TextDecoder().decode(inner) !== ED25519
  )
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH key whose base64 part is not a whole ${ED25519} key`,
    );
  if (key.length !== KEY_BYTES)
    throw new Failure("key_invalid", `${from} is an OpenSSH key of ${key.length} bytes; wanted ${KEY_BYTES}`);
  return key;
}

export function formatSshKey(key: Uint8Array): string {
  return `${ED25519} ${toBase64(Buffer.concat([sshString(Buffer.from(ED25519)), sshString(key)]))}`;
}

/** All of the bytes as strings with a length before each (RFC 4251 §5), or none when they do not come out even. */
function sshStrings(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 4) return [];
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return [];
    strings.push(bytes.slice(at + 4, end));
    at = end;
  }
  return strings;
}

export function sshString(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return new Uint8Array(Buffer.concat([length, bytes]));
}
