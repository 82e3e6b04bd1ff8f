import { joined } from "../base/bytes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { KEY_BYTES } from "./ed25519.ts";
import type { ClaimedSeed } from "./claimed-seed.ts";
import { SSH_ED25519, sshKeyBlob } from "./ssh-key.ts";
import { NotSsh, SshReader, sshString, sshUint32 } from "./ssh-wire.ts";

/** OpenSSH private key files, `openssh-key-v1` (PROTOCOL.key of OpenSSH), not encrypted. */

export const OPENSSH_LABEL = "OPENSSH PRIVATE KEY";
const MAGIC = "openssh-key-v1\0";
const NONE = "none";
/** Padding fills a block of 8 when there is no cipher. */
const BLOCK_BYTES = 8;

/** `checkNumber` is any number of 32 bits; it stands twice, so that a wrong decryption is seen. */
export function encodeOpensshPrivateKey(
  key: { readonly seed: Uint8Array; readonly publicHalf: Uint8Array },
  checkNumber: number,
  comment: string,
): Uint8Array {
  const blob = sshKeyBlob(key.publicHalf);
  const inner = joined(
    sshUint32(checkNumber),
    sshUint32(checkNumber),
    blob,
    sshString(joined(key.seed, key.publicHalf)),
    sshString(comment),
  );
  const missing = (BLOCK_BYTES - (inner.length % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = Uint8Array.from({ length: missing }, (_, index) => index + 1);
  return joined(
    new TextEncoder().encode(MAGIC),
    sshString(NONE),
    sshString(NONE),
    sshString(""),
    sshUint32(1),
    sshString(blob),
    sshString(joined(inner, padding)),
  );
}

/** The seed and every public half that stands beside it. Throws Failure `key_invalid`. */
export function decodeOpensshPrivateKey(bytes: Uint8Array, from: string): ClaimedSeed {
  try {
    const file = new SshReader(bytes);
    if (new TextDecoder().decode(file.take(MAGIC.length)) !== MAGIC) throw new NotSsh("another format");
    const cipher = file.word();
    if (cipher !== NONE) throw encrypted(cipher, from);
    if (file.word() !== NONE || file.string().length > 0)
      throw new NotSsh("a key derivation without a cipher");
    if (file.uint32() !== 1) throw new NotSsh("more than one key");
    const outside = readBlob(new SshReader(file.string()), from);
    const inner = new SshReader(file.string());
    file.end();
    if (inner.uint32() !== inner.uint32()) throw new NotSsh("two check numbers that differ");
    const inside = readPublic(inner, from);
    const pair = inner.string();
    if (pair.length !== 2 * KEY_BYTES) throw new NotSsh(`a private part of ${pair.length} bytes`);
    inner.string();
    const padding = inner.rest();
    if (padding.length >= BLOCK_BYTES || padding.some((byte, index) => byte !== index + 1))
      throw new NotSsh("a wrong padding");
    return {
      seed: pair.slice(0, KEY_BYTES),
      claimed: [outside, inside, pair.slice(KEY_BYTES)],
      keyNumber: null,
    };
  } catch (error) {
    if (!(error instanceof NotSsh)) throw error;
    throw new Failure("key_invalid", `${from} is not a well-formed OpenSSH private key: ${error.message}`);
  }
}

function readBlob(reader: SshReader, from: string): Uint8Array {
  const key = readPublic(reader, from);
  reader.end();
  return key;
}

function readPublic(reader: SshReader, from: string): Uint8Array {
  const type = reader.word();
  if (type !== SSH_ED25519)
    throw new Failure(
      "key_invalid",
      `${from} is an OpenSSH private key of the unsupported key type ${quoted(type, 60)}; wanted ${SSH_ED25519}`,
    );
  const key = reader.string();
  if (key.length !== KEY_BYTES) throw new NotSsh(`a public half of ${key.length} bytes`);
  return key.slice();
}

function encrypted(cipher: string, from: string): Failure {
  return new Failure(
    "key_invalid",
    `${from} is an OpenSSH private key encrypted with ${quoted(cipher, 40)}`,
    {
      hint: "decrypt a copy: cp KEY COPY && ssh-keygen -p -N '' -f COPY, then: waybill key convert COPY --to pkcs8 --private --out NEW --new-passphrase-file F",
    },
  );
}
