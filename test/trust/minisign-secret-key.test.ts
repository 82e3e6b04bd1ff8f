import { describe, expect, test } from "bun:test";
import { randomBytes, scryptSync } from "node:crypto";
import { privateForm } from "../../src/trust/key-conversion.ts";
import {
  decodeMinisignSecretKey,
  encodeMinisignSecretKey,
  isEncryptedMinisignText,
  isTooMuch,
  MINISIGN_SALT_BYTES,
  MINISIGN_WORK,
  scryptLimits,
} from "../../src/trust/minisign-secret-key.ts";
import { isEncryptedKeyText, SigningKey } from "../../src/trust/signing-key.ts";
import {
  expectRefused,
  keyNumber,
  minisign,
  minisignWith,
  other,
  publicHalf,
  read,
  seed,
} from "./private-keys.ts";
import { refusalOf } from "./refusal.ts";

const passphrase = new TextEncoder().encode("correct horse");
const [comment = "", line = ""] = minisign.split("\n");

test("minisign's key number is kept, in the private key and its public half", () => {
  const key = read(minisign);
  expect(key.publicKey.keyNumber).toEqual(keyNumber);
  const again = read(privateForm(key, "minisign", randomBytes, undefined));
  expect(again.publicKey.keyNumber).toEqual(keyNumber);
});

describe("what does not fit in a minisign file is refused, and nothing of it shown", () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    ["another public half", minisignWith(94, other), /checksum is wrong/u],
    ["another public half and no checksum", minisignWithout(other), /does not belong to its seed/u],
    ["another algorithm", minisignWith(0, Buffer.from("ED")), /another algorithm/u],
    ["another derivation", minisignWith(2, Buffer.from("Xx")), /derivation is unknown/u],
    ["another checksum algorithm", minisignWith(4, Buffer.from("Xx")), /another algorithm/u],
    ["cut short", `${comment}\n${line.slice(0, 100)}\n`, /no secret key of minisign/u],
    ["a checksum that is partly empty", minisignWith(126, new Uint8Array(31)), /checksum is wrong/u],
    ["encrypted", minisignWith(2, Buffer.from("Sc")), /is encrypted and no passphrase/u],
  ];
  test.each(table)("%s", (_what, text, message) => expectRefused(text, message));
});

function minisignWithout(half: Uint8Array): string {
  const file = Buffer.from(line, "base64");
  file.set(half, 94);
  file.set(new Uint8Array(32), 126);
  return `${comment}\n${file.toString("base64")}\n`;
}

/** As minisign encrypts, with limits that a test can afford: N, r and p follow from operations and memory. */
function encrypted(
  operations: number,
  memory: number,
  limits: { N: number; r: number; p: number },
  plain: string = minisign,
): string {
  const file = Buffer.from(plain.split("\n")[1] ?? "", "base64");
  const salt = randomBytes(32);
  file.write("Sc", 2, "latin1");
  file.set(salt, 6);
  file.writeBigUInt64LE(BigInt(operations), 38);
  file.writeBigUInt64LE(BigInt(memory), 46);
  const stream = scryptSync(passphrase, salt, 104, { ...limits, maxmem: 256 * 1024 * 1024 });
  for (const [index, byte] of stream.entries()) file[54 + index] = (file[54 + index] ?? 0) ^ byte;
  return `untrusted comment: minisign encrypted secret key\n${file.toString("base64")}\n`;
}

test("a minisign file tells by its length and two letters whether it is encrypted", () => {
  const sc = Buffer.from("EdScB2").toString("base64");
  const texts = [minisign, minisignWith(2, Buffer.from("Sc")), `${comment}\n${sc}\n`, `${comment}\n*\n`, ""];
  expect(texts.map(isEncryptedMinisignText)).toEqual([false, true, false, false, false]);
});

test("what is no secret key of minisign has another length", () => {
  const lengthOf = (text: string): string =>
    refusalOf(() => decodeMinisignSecretKey(text, undefined, "it")).message;
  expect(["AAAA", "*"].map(lengthOf)).toEqual([
    "it is not a well-formed minisign secret key: it has 3 bytes; wanted 158",
    "it is not a well-formed minisign secret key: it has 0 bytes; wanted 158",
  ]);
});

describe("the work of scrypt", () => {
  // By libsodium's pickparams.
  const table: readonly (readonly [bigint, bigint, number, number])[] = [
    [33_554_432n, 1_073_741_824n, 2 ** 20, 1],
    [33_554_432n, 16_777_216n, 2 ** 14, 64],
    [1_000n, 16_777_216n, 2 ** 10, 1],
    [510_000n, 16_777_216n, 2 ** 13, 1],
    [524_287n, 16_777_216n, 2 ** 13, 1],
    [32_768n, 3_072n, 2, 512],
    [32_768n, 4_096n, 4, 256],
    [32_768n, 0n, 2, 512],
  ];
  test.each(table)("operations %d, memory %d", (operations, memory, N, p) => {
    expect(scryptLimits({ operations, memory })).toEqual({ N, r: 8, p });
  });

  test("is at most what minisign asks for", () => {
    expect(MINISIGN_WORK).toEqual({ operations: 33_554_432n, memory: 1_073_741_824n });
    const { operations, memory } = MINISIGN_WORK;
    const works = [
      { operations, memory },
      { operations: operations + 1n, memory },
      { operations, memory: memory + 1n },
    ];
    expect(works.map(isTooMuch)).toEqual([false, true, true]);
  });
});

describe("minisign's encryption", () => {
  test("is written as it is read", () => {
    const salt = new Uint8Array(randomBytes(MINISIGN_SALT_BYTES));
    const work = { operations: 32_768n, memory: 16_777_216n };
    const text = encodeMinisignSecretKey({ seed, publicHalf, keyNumber }, { passphrase, salt, work });
    const [head, body = ""] = text.split("\n");
    const bytes = Buffer.from(body, "base64");
    expect([head, bytes.length]).toEqual(["untrusted comment: minisign encrypted secret key", 158]);
    expect([...bytes.subarray(6, 38)]).toEqual([...salt]);
    expect([bytes.readBigUInt64LE(38), bytes.readBigUInt64LE(46)]).toEqual([work.operations, work.memory]);
    expect(isEncryptedMinisignText(text)).toBe(true);
    expect(read(text, passphrase).publicKey).toMatchObject({ bytes: publicHalf, keyNumber });
    expect(minisign).toStartWith("untrusted comment: minisign secret key\n");
    // A passphrase does no harm to a key that has none.
    expect(read(minisign, passphrase).seed()).toEqual(seed);
  });

  test("has a checksum, also where that of a plain file may be empty", () => {
    const text = encrypted(
      32_768,
      16_777_216,
      { N: 2 ** 10, r: 8, p: 1 },
      minisignWith(126, new Uint8Array(32)),
    );
    const refusal = refusalOf(() => read(text, passphrase));
    expect([refusal.code, refusal.message]).toEqual([
      "key_invalid",
      "the key cannot be decrypted: the passphrase is wrong",
    ]);
  });

  // The choice of libsodium's crypto_pwhash_scryptsalsa208sha256 for these limits, by its own rule.
  const table: readonly (readonly [number, number, { N: number; r: number; p: number }])[] = [
    [32_768, 16_777_216, { N: 2 ** 10, r: 8, p: 1 }],
    [524_288, 16_777_216, { N: 2 ** 14, r: 8, p: 1 }],
    [1_048_576, 8_388_608, { N: 2 ** 13, r: 8, p: 4 }],
    [1_000, 16_777_216, { N: 2 ** 10, r: 8, p: 1 }],
  ];
  test.each(table)("operations %d, memory %d", (operations, memory, limits) => {
    const text = encrypted(operations, memory, limits);
    expect(isEncryptedKeyText(text)).toBe(true);
    expect(read(text, passphrase).seed()).toEqual(seed);
    const wrong = refusalOf(() => read(text, new TextEncoder().encode("wrong")));
    expect(wrong.message).toBe("the key cannot be decrypted: the passphrase is wrong");
  });

  test("more memory than minisign asks for", () => {
    const [head = "", body = ""] = encrypted(32_768, 16_777_216, { N: 2 ** 10, r: 8, p: 1 }).split("\n");
    for (const [at, value] of [
      [38, 33_554_433n],
      [46, 1_073_741_825n],
      [46, 2n ** 63n],
    ] as const) {
      const file = Buffer.from(body, "base64");
      file.writeBigUInt64LE(value, at);
      const refusal = refusalOf(() => read(`${head}\n${file.toString("base64")}\n`, passphrase));
      expect(refusal.message).toMatch(/wants more than 1073741824 bytes of memory/u);
    }
  });

  test.skipIf(process.env["WAYBILL_FULL"] === undefined)(
    "what we encrypt comes back, with the gibibyte that it takes",
    () => {
      const key = new SigningKey(seed, "the key", keyNumber);
      const text = privateForm(key, "minisign", randomBytes, passphrase);
      expect(read(text, passphrase).seed()).toEqual(seed);
    },
    60_000,
  );
});
