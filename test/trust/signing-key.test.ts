import { describe, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { der, derInteger, derOid, TAG } from "../../src/trust/der.ts";
import { publicKeyOf } from "../../src/trust/ed25519.ts";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { encryptPkcs8 } from "../../src/trust/pbes2.ts";
import { pem } from "../../src/trust/pem.ts";
import { isPrivateKeyText, parseSigningKey, SigningKey } from "../../src/trust/signing-key.ts";
import { refusalOf } from "./refusal.ts";

const seed = new Uint8Array(randomBytes(32));
const publicHalf = publicKeyOf(seed);
const both = Buffer.concat([seed, publicHalf]);
const other = publicKeyOf(randomBytes(32));
const passphrase = new TextEncoder().encode("correct horse battery staple");
const plainPem = pem("PRIVATE KEY", encodePkcs8(seed));
const encryptedPem = pem(
  "ENCRYPTED PRIVATE KEY",
  encryptPkcs8(encodePkcs8(seed), passphrase, randomBytes(16), randomBytes(16)),
);

/** PKCS#8 version 2, RFC 5958, with a public half. */
function version2(claimed: Uint8Array): Uint8Array {
  const algorithm = der(TAG.sequence, derOid("2b6570"));
  return der(
    TAG.sequence,
    derInteger(1),
    algorithm,
    der(TAG.octets, der(TAG.octets, seed)),
    der(0x81, Uint8Array.of(0), claimed),
  );
}

describe("every text of a private key gives the same key", () => {
  const texts: Readonly<Record<string, string>> = {
    "PKCS#8 PEM": plainPem,
    "PKCS#8 PEM with CRLF": plainPem.replaceAll("\n", "\r\n"),
    "PKCS#8 PEM with \\n spelled out": plainPem.replaceAll("\n", "\\n"),
    "PKCS#8 PEM in base64": Buffer.from(plainPem).toString("base64"),
    "PKCS#8 version 2 with its public half": pem("PRIVATE KEY", version2(publicHalf)),
    "encrypted PKCS#8 PEM": encryptedPem,
    "encrypted PKCS#8 PEM in base64": Buffer.from(encryptedPem).toString("base64"),
    "seed in hex": Buffer.from(seed).toString("hex"),
    "seed in base64": Buffer.from(seed).toString("base64"),
    "seed in URL-safe base64": Buffer.from(seed).toString("base64url"),
    "seed and public half in hex": both.toString("hex").toUpperCase(),
    "seed and public half in base64": `${both.toString("base64")}\n`,
  };
  test.each(Object.entries(texts))("%s", (_name, text) => {
    const key = parseSigningKey(text, "the key", passphrase);
    expect(key.publicKey.bytes).toEqual(publicHalf);
    expect(key.seed()).toEqual(seed);
  });

  test("the runtime reads what we write, plain and encrypted", () => {
    for (const key of [plainPem, encryptedPem]) {
      const read = createPrivateKey({ key, passphrase: Buffer.from(passphrase) });
      expect(read.export({ type: "pkcs8", format: "der" }).equals(Buffer.from(encodePkcs8(seed)))).toBe(true);
    }
  });
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const runtimePem = (cipher: string): string =>
  createPrivateKey(plainPem).export({
    type: "pkcs8",
    format: "pem",
    cipher,
    passphrase: Buffer.from(passphrase),
  });

describe("what is no Ed25519 private key is refused and never shown", () => {
  const table: readonly (readonly [string, string, string, RegExp])[] = [
    ["nothing", "\n", "key_invalid", /is empty/u],
    ["31 bytes", Buffer.from(seed.slice(1)).toString("hex"), "key_invalid", /has 31 bytes; a seed has 32/u],
    ["65 bytes", `${both.toString("hex")}00`, "key_invalid", /has 65 bytes/u],
    ["zeros", "00".repeat(32), "key_weak", /placeholder of zeros/u],
    [
      "a foreign public half",
      Buffer.concat([seed, other]).toString("hex"),
      "key_invalid",
      /does not belong to its seed/u,
    ],
    [
      "a foreign public half in PKCS#8",
      pem("PRIVATE KEY", version2(other)),
      "key_invalid",
      /does not belong/u,
    ],
    ["an RSA key", rsa.export({ type: "pkcs8", format: "pem" }), "key_invalid", /is a key for RSA/u],
    ["an ECDSA key", ec.export({ type: "pkcs8", format: "pem" }), "key_invalid", /is a key for ECDSA/u],
    ["an old EC file", ec.export({ type: "sec1", format: "pem" }), "key_invalid", /block "EC PRIVATE KEY"/u],
    [
      "an OpenSSH file",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
      "key_invalid",
      /not a well-formed OpenSSH private key: cut short/u,
    ],
    [
      "a public PEM",
      formsOf(new SigningKey(seed, "x").publicKey).spki_pem,
      "key_invalid",
      /is a public key/u,
    ],
    [
      "an OpenSSH public key",
      formsOf(new SigningKey(seed, "x").publicKey).ssh,
      "key_invalid",
      /OpenSSH public key/u,
    ],
    ["a minisign file", "untrusted comment: x\nAAAA\n", "key_invalid", /file of minisign/u],
    ["a word", "hunter2!", "key_invalid", /neither PEM, a minisign secret key, a JWK nor a seed/u],
    ["another cipher", runtimePem("aes-128-cbc"), "key_invalid", /wanted the cipher AES-256-CBC/u],
    [
      "DER cut short",
      pem("PRIVATE KEY", encodePkcs8(seed).slice(0, 40)),
      "key_invalid",
      /PKCS#8\): cut short/u,
    ],
    [
      "bytes behind DER",
      pem("PRIVATE KEY", Buffer.concat([encodePkcs8(seed), Buffer.from([0])])),
      "key_invalid",
      /after the end/u,
    ],
  ];
  test.each(table)("%s", (_name, text, code, message) => {
    const refusal = refusalOf(() => parseSigningKey(text, "the key", passphrase));
    expect(refusal.code).toBe(code as typeof refusal.code);
    expect(refusal.message).toMatch(message);
    const body = text.split("\n")[1] ?? text;
    if (body.length >= 8) expect(`${refusal.message} ${refusal.hint ?? ""}`).not.toContain(body.slice(0, 24));
  });

  test("an encrypted key without its passphrase, and with wrong ones", () => {
    expect(refusalOf(() => parseSigningKey(encryptedPem, "the key")).message).toMatch(
      /is encrypted and no passphrase/u,
    );
    const refusal = refusalOf(() =>
      parseSigningKey(encryptedPem, "the key", new TextEncoder().encode("wrong")),
    );
    expect([refusal.code, refusal.message]).toEqual([
      "key_invalid",
      "the key cannot be decrypted: the passphrase is wrong",
    ]);
  });

  test("rounds that would hold the machine", () => {
    const encrypted = encryptPkcs8(encodePkcs8(seed), passphrase, randomBytes(16), randomBytes(16));
    const at = Buffer.from(encrypted).indexOf(Buffer.from(derInteger(600_000)));
    encrypted.set([0x7f, 0xff, 0xff], at + 2);
    const refusal = refusalOf(() =>
      parseSigningKey(pem("ENCRYPTED PRIVATE KEY", encrypted), "the key", passphrase),
    );
    expect(refusal.code).toBe("key_invalid");
    expect(refusal.message).toMatch(/8388607 rounds; at most 5000000/u);
  });
});

test("a key shows its public half and nothing else", () => {
  const key = new SigningKey(seed, "the key");
  const shown = `${Bun.inspect(key, { depth: 9 })}${JSON.stringify(key)}`;
  expect(shown).not.toContain(Buffer.from(seed).toString("hex"));
  expect(shown).not.toContain(seed.slice(0, 6).join(", "));
  expect(shown).not.toContain(seed.slice(0, 6).join(","));
  expect(shown).toContain(key.publicKey.keyid);
});

test("private texts are known as such", () => {
  for (const text of [plainPem, encryptedPem, Buffer.from(plainPem).toString("base64"), both.toString("hex")])
    expect(isPrivateKeyText(text)).toBe(true);
  for (const text of [Buffer.from(publicHalf).toString("hex"), "ssh-ed25519 AAAA", "words"])
    expect(isPrivateKeyText(text)).toBe(false);
});
