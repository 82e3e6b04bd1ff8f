import { describe, expect, test } from "bun:test";
import { randomBytes, scryptSync } from "node:crypto";
import { publicKeyOf } from "../../src/trust/ed25519.ts";
import { privateJwk } from "../../src/trust/jwk.ts";
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
import { encodeOpensshPrivateKey } from "../../src/trust/openssh-private-key.ts";
import { pem } from "../../src/trust/pem.ts";
import { SshReader, sshString, sshUint32 } from "../../src/trust/ssh-wire.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { isEncryptedKeyText, parseSigningKey, SigningKey } from "../../src/trust/signing-key.ts";
import { joined } from "../../src/base/bytes.ts";
import { refusalOf } from "./refusal.ts";

const seed = new Uint8Array(randomBytes(32));
const publicHalf = publicKeyOf(seed);
const other = publicKeyOf(randomBytes(32));
const keyNumber = new Uint8Array(randomBytes(8));
const passphrase = new TextEncoder().encode("correct horse");
const read = (text: string, secret?: Uint8Array): SigningKey => parseSigningKey(text, "the key", secret);

const OPENSSH = "OPENSSH PRIVATE KEY";
const openssh = encodeOpensshPrivateKey({ seed, publicHalf }, 0x01020304, "me@here");
const opensshText = (bytes: Uint8Array): string => pem(OPENSSH, bytes, 70);
/** The same bytes with others in place of the nth time that `from` is found. */
function swapped(bytes: Uint8Array, from: Uint8Array, to: Uint8Array, nth: number): Uint8Array {
  const copy = Buffer.from(bytes);
  let at = -1;
  for (let count = 0; count < nth; count++) at = copy.indexOf(from, at + 1);
  copy.set(to, at);
  return new Uint8Array(copy);
}
const jwkText = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...privateJwk(seed, publicHalf), ...change });
const minisign = encodeMinisignSecretKey({ seed, publicHalf, keyNumber }, null);
/** The same file with some of its 158 bytes changed. */
function minisignWith(at: number, bytes: Uint8Array | readonly number[]): string {
  const [comment = "", line = ""] = minisign.split("\n");
  const file = Buffer.from(line, "base64");
  file.set(Uint8Array.from(bytes), at);
  return `${comment}\n${file.toString("base64")}\n`;
}

/** The parts of an OpenSSH file, each of which may be another one. */
function opensshWith({
  magic = "openssh-key-v1\0",
  kdf = "none",
  options = "",
  outside = publicHalf,
  behind = new Uint8Array(),
  inside = publicHalf,
  pair = joined(seed, publicHalf),
  padding = [1, 2, 3],
}): string {
  const blob = (half: Uint8Array): Uint8Array => joined(sshString("ssh-ed25519"), sshString(half));
  const check = sshUint32(7);
  const inner = joined(
    check,
    check,
    blob(inside),
    sshString(pair),
    sshString("it"),
    Uint8Array.from(padding),
  );
  return opensshText(
    joined(
      new TextEncoder().encode(magic),
      ...["none", kdf, options].map(sshString),
      sshUint32(1),
      sshString(joined(blob(outside), behind)),
      sshString(inner),
    ),
  );
}

describe("an OpenSSH file that we write", () => {
  test.each(["", "a", "comment", "a comment", "one that is longer"])(
    "fills its blocks beside %p",
    (comment) => {
      const bytes = encodeOpensshPrivateKey({ seed, publicHalf }, 7, comment);
      expect(new TextDecoder().decode(bytes.subarray(0, 15))).toBe("openssh-key-v1\0");
      const file = new SshReader(bytes.subarray(15));
      expect([file.word(), file.word(), file.string().length, file.uint32()]).toEqual(["none", "none", 0, 1]);
      file.string();
      const inner = file.string();
      expect(inner.length % 8).toBe(0);
      // Two check numbers of 4, the public half of 51, the pair of 68, the comment with its length, and the padding.
      const padding = inner.length - 131 - comment.length;
      expect([...inner.subarray(inner.length - padding)]).toEqual([1, 2, 3, 4, 5, 6, 7].slice(0, padding));
      expect(read(opensshText(bytes)).seed()).toEqual(seed);
    },
  );
});

describe("private keys of other tools", () => {
  const texts: Readonly<Record<string, string>> = {
    "an OpenSSH file": opensshText(openssh),
    "an OpenSSH file of parts": opensshWith({}),
    "an OpenSSH file with CRLF": opensshText(openssh).replaceAll("\n", "\r\n"),
    "an OpenSSH file in one variable": Buffer.from(opensshText(openssh)).toString("base64"),
    "a JWK": jwkText({}),
    "a JWK with more members": jwkText({ kid: "x", use: "sig", alg: "EdDSA", key_ops: ["sign"] }),
    "a minisign file": minisign,
    "a minisign file with CRLF": minisign.replaceAll("\n", "\r\n"),
    "a minisign file without a checksum": minisignWith(126, new Uint8Array(32)),
    "the line of a minisign file": minisign.split("\n")[1] ?? "",
  };
  test.each(Object.entries(texts))("%s", (_name, text) => {
    expect(Buffer.from(read(text).seed()).equals(Buffer.from(seed))).toBe(true);
  });

  test("minisign's key number is kept, in the private key and its public half", () => {
    const key = read(minisign);
    expect(key.publicKey.keyNumber).toEqual(keyNumber);
    const again = read(privateForm(key, "minisign", randomBytes, undefined));
    expect(again.publicKey.keyNumber).toEqual(keyNumber);
  });
});

const [comment = "", line = ""] = minisign.split("\n");
describe("what does not fit is refused, and nothing of it shown", () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    [
      "OpenSSH: another public half outside",
      opensshText(swapped(openssh, publicHalf, other, 1)),
      /does not belong to its seed/u,
    ],
    [
      "OpenSSH: another public half inside",
      opensshText(swapped(openssh, publicHalf, other, 2)),
      /does not belong to its seed/u,
    ],
    [
      "OpenSSH: another public half beside the seed",
      opensshText(swapped(openssh, publicHalf, other, 3)),
      /does not belong to its seed/u,
    ],
    [
      "OpenSSH: another seed",
      opensshText(swapped(openssh, seed, new Uint8Array(randomBytes(32)), 1)),
      /does not belong to its seed/u,
    ],
    [
      "OpenSSH: a cipher",
      opensshText(swapped(openssh, Buffer.from("none"), Buffer.from("aes2"), 1)),
      /^the key is an OpenSSH private key encrypted with "aes2"$/u,
    ],
    [
      "OpenSSH: two check numbers that differ",
      opensshText(swapped(openssh, Buffer.of(1, 2, 3, 4), Buffer.of(9, 2, 3, 4), 2)),
      /check numbers/u,
    ],
    [
      "OpenSSH: a wrong padding",
      opensshText(joined(openssh.slice(0, -1), Uint8Array.of(9))),
      /a wrong padding/u,
    ],
    ["OpenSSH: bytes behind", opensshText(joined(openssh, Uint8Array.of(0))), /bytes after the end/u],
    ["OpenSSH: cut short", opensshText(openssh.slice(0, -20)), /cut short/u],
    [
      "OpenSSH: another type",
      opensshText(swapped(openssh, Buffer.from("ssh-ed25519"), Buffer.from("ssh-ed44888"), 1)),
      /unsupported key type "ssh-ed44888"/u,
    ],
    ["OpenSSH: another magic", opensshWith({ magic: "openssh-key-v2\0" }), /: another format$/u],
    ["OpenSSH: a key derivation", opensshWith({ kdf: "bcrypt" }), /: a key derivation without a cipher$/u],
    ["OpenSSH: its options", opensshWith({ options: "x" }), /: a key derivation without a cipher$/u],
    [
      "OpenSSH: bytes behind the outer half",
      opensshWith({ behind: Uint8Array.of(0) }),
      /: bytes after the end$/u,
    ],
    [
      "OpenSSH: a short outer half",
      opensshWith({ outside: publicHalf.slice(1) }),
      /: a public half of 31 bytes$/u,
    ],
    [
      "OpenSSH: a short inner half",
      opensshWith({ inside: publicHalf.slice(1) }),
      /: a public half of 31 bytes$/u,
    ],
    [
      "OpenSSH: a long pair",
      opensshWith({ pair: joined(seed, publicHalf, seed) }),
      /: a private part of 96 bytes$/u,
    ],
    [
      "OpenSSH: a whole block of padding",
      opensshWith({ padding: [1, 2, 3, 4, 5, 6, 7, 8] }),
      /: a wrong padding$/u,
    ],
    [
      "JWK: an x of another key",
      jwkText({ x: Buffer.from(other).toString("base64url") }),
      /does not belong to its seed/u,
    ],
    ["JWK: no x", jwkText({ x: undefined }), /"x" is not 32 bytes/u],
    ["JWK: a d that is too short", jwkText({ d: "AAAA" }), /"d" is not 32 bytes/u],
    [
      "JWK: a d with padding",
      jwkText({ d: `${Buffer.from(seed).toString("base64url")}=` }),
      /"d" is not 32 bytes/u,
    ],
    ["JWK: a public one", jwkText({ d: undefined }), /is a public JWK/u],
    ["JWK: for encryption", jwkText({ use: "enc" }), /"use" is "enc"/u],
    ["JWK: of another curve", jwkText({ crv: "X25519" }), /"crv" is "X25519"/u],
    ["JWK: RSA", jwkText({ kty: "RSA" }), /"kty" is "RSA"/u],
    ["JWK: two members d", jwkText({}).replace('{"kty"', '{"d":"AAAA","kty"'), /a second member "d"/u],
    ["JWK: a set", JSON.stringify({ keys: [privateJwk(seed, publicHalf)] }), /is a set of keys/u],
    ["minisign: another public half", minisignWith(94, other), /checksum is wrong/u],
    ["minisign: another public half and no checksum", minisignWithout(other), /does not belong to its seed/u],
    ["minisign: another algorithm", minisignWith(0, Buffer.from("ED")), /another algorithm/u],
    ["minisign: another derivation", minisignWith(2, Buffer.from("Xx")), /derivation is unknown/u],
    ["minisign: another checksum algorithm", minisignWith(4, Buffer.from("Xx")), /another algorithm/u],
    ["minisign: cut short", `${comment}\n${line.slice(0, 100)}\n`, /no secret key of minisign/u],
    [
      "minisign: a checksum that is partly empty",
      minisignWith(126, new Uint8Array(31)),
      /checksum is wrong/u,
    ],
    ["minisign: encrypted", minisignWith(2, Buffer.from("Sc")), /is encrypted and no passphrase/u],
  ];
  test.each(table)("%s", (_name, text, message) => {
    const refusal = refusalOf(() => read(text));
    expect([refusal.code as string, refusal.message]).toEqual([
      "key_invalid",
      expect.stringMatching(message),
    ]);
    for (const spelling of ["hex", "base64", "base64url"] as const)
      expect(`${refusal.message} ${refusal.hint}`).not.toContain(
        Buffer.from(seed).toString(spelling).slice(0, 20),
      );
  });

  test("as a public key, each is known for a private one", () => {
    for (const text of [opensshText(openssh), jwkText({}), minisign, `${comment}\n${line}`])
      expect(refusalOf(() => parsePublicKey(text, "--key")).message).toMatch(/private key/u);
  });
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
