import { scryptSync } from "node:crypto";
import { joined } from "../base/bytes.ts";
import { toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import type { ClaimedSeed } from "./claimed-seed.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { minisignPayload } from "./minisign-key.ts";

/**
 * The secret key file of minisign, plain or encrypted: a comment line and base64 of algorithm 2, derivation 2,
 * checksum 2, salt 32, operations 8, memory 8, and then 104 bytes: key number 8, seed and public half 64, checksum 32.
 */
const FILE_BYTES = 158;
const HEAD_BYTES = 54;
const BODY_BYTES = FILE_BYTES - HEAD_BYTES;
export const MINISIGN_SALT_BYTES = 32;
const ED25519 = "Ed";
const SCRYPT = "Sc";
const BLAKE2B = "B2";
const PLAIN = "\0\0";
/** What minisign asks of scrypt: N 2^20, r 8, p 1, which takes 1 GiB. */
const OPERATIONS = 33_554_432;
const MEMORY = 1_073_741_824;

export type MinisignEncryption = { readonly passphrase: Uint8Array; readonly salt: Uint8Array };

/** True for the text of a secret key file: what is in it tells the length alone. */
export function isMinisignSecretText(text: string): boolean {
  return minisignPayload(text)?.length === FILE_BYTES;
}

export function isEncryptedMinisignText(text: string): boolean {
  const bytes = minisignPayload(text);
  return bytes?.length === FILE_BYTES && Buffer.from(bytes.subarray(2, 4)).toString("latin1") === SCRYPT;
}

/** Throws Failure `key_invalid`. `passphrase` is for an encrypted one, which takes seconds and 1 GiB. */
export function decodeMinisignSecretKey(
  text: string,
  passphrase: Uint8Array | undefined,
  from: string,
): ClaimedSeed {
  const bytes = minisignPayload(text);
  if (bytes?.length !== FILE_BYTES)
    throw damaged(from, `it has ${bytes?.length ?? 0} bytes; wanted ${FILE_BYTES}`);
  const word = (at: number): string => Buffer.from(bytes.subarray(at, at + 2)).toString("latin1");
  if (word(0) !== ED25519 || word(4) !== BLAKE2B) throw damaged(from, "it is for another algorithm");
  const derivation = word(2);
  if (derivation !== SCRYPT && derivation !== PLAIN) throw damaged(from, "its key derivation is unknown");
  if (derivation === SCRYPT && passphrase === undefined)
    throw new Failure("key_invalid", `${from} is encrypted and no passphrase was given`, {
      hint: "put the passphrase in a file and pass --passphrase-file FILE",
    });
  const body = bytes.slice(HEAD_BYTES);
  if (derivation === SCRYPT && passphrase !== undefined) {
    const stream = scryptStream(passphrase, bytes.subarray(6, 38), readLimits(bytes, from));
    for (const [index, byte] of stream.entries()) body[index] = (body[index] ?? 0) ^ byte;
  }
  const keyNumber = body.slice(0, 8);
  const pair = body.slice(8, 72);
  const found = body.subarray(72);
  // minisign leaves the checksum of a plain key empty.
  const unchecked = derivation === PLAIN && found.every((byte) => byte === 0);
  if (!unchecked && Buffer.compare(found, checksum(keyNumber, pair)) !== 0) {
    if (derivation === PLAIN) throw damaged(from, "its checksum is wrong");
    throw new Failure("key_invalid", `${from} cannot be decrypted: the passphrase is wrong`);
  }
  return { seed: pair.slice(0, KEY_BYTES), claimed: [pair.slice(KEY_BYTES)], keyNumber };
}

/** The two lines of a secret key file. */
export function encodeMinisignSecretKey(
  key: { readonly seed: Uint8Array; readonly publicHalf: Uint8Array; readonly keyNumber: Uint8Array },
  encryption: MinisignEncryption | null,
): string {
  const pair = joined(key.seed, key.publicHalf);
  const body = joined(key.keyNumber, pair, checksum(key.keyNumber, pair));
  const derivation = encryption === null ? PLAIN : SCRYPT;
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(`${ED25519}${derivation}${BLAKE2B}`, "latin1");
  if (encryption !== null) {
    head.set(encryption.salt, 6);
    head.writeBigUInt64LE(BigInt(OPERATIONS), 38);
    head.writeBigUInt64LE(BigInt(MEMORY), 46);
    const stream = scryptStream(encryption.passphrase, encryption.salt, { N: 2 ** 20, r: 8, p: 1 });
    for (const [index, byte] of stream.entries()) body[index] = (body[index] ?? 0) ^ byte;
  }
  const kind = encryption === null ? "secret key" : "encrypted secret key";
  return `untrusted comment: minisign ${kind}\n${toBase64(joined(head, body))}\n`;
}

function checksum(keyNumber: Uint8Array, pair: Uint8Array): Uint8Array {
  const engine = new Bun.CryptoHasher("blake2b256");
  return new Uint8Array(engine.update(ED25519).update(keyNumber).update(pair).digest());
}

type Limits = { readonly N: number; readonly r: number; readonly p: number };

/** scrypt's N, r and p from the two limits in the file, as libsodium picks them. */
function readLimits(bytes: Uint8Array, from: string): Limits {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [operations, memory] = [view.getBigUint64(38, true), view.getBigUint64(46, true)];
  // A file may not hold the machine: minisign's own demand is the ceiling.
  if (operations > BigInt(OPERATIONS) || memory > BigInt(LIMITS.scryptBytes))
    throw damaged(
      from,
      `its scrypt wants more than ${LIMITS.scryptBytes} bytes of memory, or too many operations`,
    );
  const r = 8;
  const work = Math.max(Number(operations), 32_768);
  const byWork = work < Number(memory) / 32;
  const most = byWork ? work / (r * 4) : Number(memory) / (r * 128);
  let log = 1;
  while (log < 63 && 2 ** log <= most / 2) log++;
  const p = byWork ? 1 : Math.max(1, Math.floor(Math.floor(work / 4 / 2 ** log) / r));
  return { N: 2 ** log, r, p };
}

function scryptStream(passphrase: Uint8Array, salt: Uint8Array, limits: Limits): Uint8Array {
  // Beside the 128 N r bytes it wants a little for the blocks.
  const maxmem = 128 * limits.r * (limits.N + limits.p + 16);
  return new Uint8Array(scryptSync(passphrase, salt, BODY_BYTES, { ...limits, maxmem }));
}

function damaged(from: string, found: string): Failure {
  return new Failure("key_invalid", `${from} is not a well-formed minisign secret key: ${found}`);
}
