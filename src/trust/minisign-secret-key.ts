import { scryptSync } from "node:crypto";
import { joined } from "../base/bytes.ts";
import { toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import type { ClaimedSeed } from "./claimed-seed.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { wantedPassphrase, wrongPassphrase } from "./key-passphrase.ts";
import { minisignPayload } from "./minisign-key.ts";

/**
 * The secret key file of minisign, plain or encrypted: a comment line and base64 of algorithm 2, derivation 2,
 * checksum 2, salt 32, operations 8, memory 8, and then 104 bytes: key number 8, seed and public half 64, checksum 32.
 */
const FILE_BYTES = 158;
const HEAD_BYTES = 54;
export const MINISIGN_SALT_BYTES = 32;
const ED25519 = "Ed";
const SCRYPT = "Sc";
const BLAKE2B = "B2";
const PLAIN = "\0\0";

/** The two limits of libsodium's scrypt, from which its N, r and p follow. */
export type ScryptWork = { readonly operations: bigint; readonly memory: bigint };

/** What minisign asks of scrypt: N 2^20, r 8, p 1, which takes 1 GiB. */
export const MINISIGN_WORK: ScryptWork = { operations: 33_554_432n, memory: BigInt(LIMITS.scryptBytes) };

export type MinisignEncryption = {
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly work: ScryptWork;
};

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
  const body = bytes.slice(HEAD_BYTES);
  if (derivation === SCRYPT) {
    const given = wantedPassphrase(passphrase, from);
    encrypt(body, { passphrase: given, salt: bytes.subarray(6, 38), work: readWork(bytes, from) });
  }
  const keyNumber = body.slice(0, 8);
  const pair = body.slice(8, 72);
  const found = body.subarray(72);
  // minisign leaves the checksum of a plain key empty.
  const unchecked = derivation === PLAIN && found.every((byte) => byte === 0);
  if (!unchecked && Buffer.compare(found, checksum(keyNumber, pair)) !== 0) {
    if (derivation === PLAIN) throw damaged(from, "its checksum is wrong");
    throw wrongPassphrase(from);
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
    head.writeBigUInt64LE(encryption.work.operations, 38);
    head.writeBigUInt64LE(encryption.work.memory, 46);
    encrypt(body, encryption);
  }
  const kind = encryption === null ? "secret key" : "encrypted secret key";
  return `untrusted comment: minisign ${kind}\n${toBase64(joined(head, body))}\n`;
}

function checksum(keyNumber: Uint8Array, pair: Uint8Array): Uint8Array {
  const engine = new Bun.CryptoHasher("blake2b256");
  return new Uint8Array(engine.update(ED25519).update(keyNumber).update(pair).digest());
}

function readWork(bytes: Uint8Array, from: string): ScryptWork {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const work = { operations: view.getBigUint64(38, true), memory: view.getBigUint64(46, true) };
  if (!isTooMuch(work)) return work;
  throw damaged(
    from,
    `its scrypt wants more than ${LIMITS.scryptBytes} bytes of memory, or too many operations`,
  );
}

/** A file may not hold the machine: minisign's own demand is the ceiling. */
export function isTooMuch({ operations, memory }: ScryptWork): boolean {
  return operations > MINISIGN_WORK.operations || memory > MINISIGN_WORK.memory;
}

/** As libsodium picks them: N follows from the smaller of the two limits, p takes what work is left. */
export function scryptLimits(work: ScryptWork): {
  readonly N: number;
  readonly r: number;
  readonly p: number;
} {
  const r = 8;
  const operations = Math.max(Number(work.operations), 32_768);
  const most = Math.min(operations / (r * 4), Number(work.memory) / (r * 128));
  let N = 2;
  while (N <= most / 2) N *= 2;
  return { N, r, p: Math.floor(operations / (4 * r * N)) };
}

/** In place, with the stream of scrypt; a second time gives back what was there. */
function encrypt(body: Uint8Array, { passphrase, salt, work }: MinisignEncryption): void {
  // What it may take was decided before.
  const options = { ...scryptLimits(work), maxmem: Number.MAX_SAFE_INTEGER };
  const stream = scryptSync(passphrase, salt, body.length, options);
  const view = new DataView(body.buffer, body.byteOffset);
  for (const [index, byte] of stream.entries()) view.setUint8(index, view.getUint8(index) ^ byte);
}

function damaged(from: string, found: string): Failure {
  return new Failure("key_invalid", `${from} is not a well-formed minisign secret key: ${found}`);
}
