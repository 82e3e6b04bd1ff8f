import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { encodePkcs8, encodeSpki } from "../../src/trust/key-der.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { keyNumberOf, parsePublicKey } from "../../src/trust/public-key.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { sshString } from "../../src/trust/ssh-wire.ts";
import { refusalOf } from "./refusal.ts";

const seed = new Uint8Array(randomBytes(32));
const key = new SigningKey(seed, "the key").publicKey;
const forms = formsOf(key);
const raw = Buffer.from(key.bytes);
const minisignText = `untrusted comment: minisign public key 0123456789ABCDEF\n${forms.minisign}\n`;

describe("every usual text of a public key gives the same key", () => {
  const texts: Readonly<Record<string, string>> = {
    "SPKI PEM": forms.spki_pem,
    "SPKI PEM with CRLF": forms.spki_pem.replaceAll("\n", "\r\n"),
    "SPKI PEM with text before it": `the release key of 2026\n${forms.spki_pem}`,
    "SPKI PEM with \\n spelled out": forms.spki_pem.replaceAll("\n", "\\n"),
    "SPKI PEM in base64": Buffer.from(forms.spki_pem).toString("base64"),
    "SPKI DER in base64": Buffer.from(encodeSpki(key.bytes)).toString("base64"),
    hex: forms.hex,
    "hex in capitals": forms.hex.toUpperCase(),
    "hex with white space around": `\n  ${forms.hex}\r\n`,
    base64: raw.toString("base64"),
    "base64 without padding": raw.toString("base64").replace(/=+$/u, ""),
    "URL-safe base64": raw.toString("base64url"),
    "URL-safe base64 with padding": `${raw.toString("base64url")}=`,
    "base64 broken into lines": raw.toString("base64").replace(/(.{20})/gu, "$1\r\n"),
    "minisign file": minisignText,
    "minisign file with CRLF": minisignText.replaceAll("\n", "\r\n"),
    "minisign line alone": forms.minisign,
    "OpenSSH line": forms.ssh,
    "OpenSSH line with a comment": `${forms.ssh} release key, 2026\n`,
  };
  test.each(Object.entries(texts))("%s", (_name, text) => {
    const found = parsePublicKey(text, "--key");
    expect(Buffer.from(found.bytes).toString("hex")).toBe(forms.hex);
    expect(found.keyid).toBe(key.keyid);
  });

  test("the keyid is the digest of the SubjectPublicKeyInfo", () => {
    const spki = Buffer.from(`302a300506032b6570032100${forms.hex}`, "hex");
    expect(key.keyid).toBe(createHash("sha256").update(spki).digest("base64"));
  });

  test("the key number of a minisign key is kept, and made from the keyid otherwise", () => {
    const number = randomBytes(8);
    const line = Buffer.concat([Buffer.from("Ed"), number, raw]).toString("base64");
    const found = parsePublicKey(line, "--key");
    expect(Buffer.from(keyNumberOf(found)).equals(number)).toBe(true);
    expect(formsOf(found).minisign).toBe(line);
    expect(Buffer.from(keyNumberOf(key)).equals(Buffer.from(key.keyid, "base64").subarray(0, 8))).toBe(true);
  });
});

const pemOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" });
const privatePem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const x25519 = generateKeyPairSync("x25519");
const pkcs8 = Buffer.from(encodePkcs8(seed)).toString("base64");
const sshOf = (type: string, ...parts: Uint8Array[]): string =>
  `${type} ${Buffer.concat([Buffer.from(type), ...parts].map((part) => sshString(part))).toString("base64")}`;

describe("what is no Ed25519 public key is refused by name", () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    ["nothing", " \n", /--key is empty/u],
    ["31 bytes", `ff${raw.subarray(2).toString("hex")}`, /has 31 bytes; an Ed25519 public key has 32/u],
    // Not the first byte of DER, which a random key may begin with.
    ["33 bytes", `ff${forms.hex}`, /has 33 bytes/u],
    ["half a byte of hex", forms.hex.slice(1), /has 47 bytes|neither PEM/u],
    ["no encoding", "not a key!", /neither PEM, hex, base64/u],
    ["both base64 alphabets", `${"+-".repeat(21)}A`, /neither PEM, hex, base64/u],
    ["bits in the padding", `${"A".repeat(42)}B`, /neither PEM, hex, base64/u],
    [
      "64 bytes in hex",
      Buffer.concat([seed, raw]).toString("hex"),
      /has 64 bytes and looks like a private key/u,
    ],
    ["64 bytes in base64", Buffer.concat([seed, raw]).toString("base64"), /looks like a private key/u],
    ["PKCS#8 in base64", pkcs8, /looks like a private key in DER/u],
    [
      "PKCS#8 PEM",
      `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
      /is a private key in PEM/u,
    ],
    ["half of a PKCS#8 PEM", `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n`, /is a private key in PEM/u],
    ["RSA PKCS#8 PEM", privatePem(rsa.privateKey), /is a private key in PEM/u],
    [
      "OpenSSH private key",
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${pkcs8}\n-----END OPENSSH PRIVATE KEY-----`,
      /private/u,
    ],
    ["public and private PEM", `${forms.spki_pem}${privatePem(ec.privateKey)}`, /is a private key in PEM/u],
    [
      "minisign secret key",
      `untrusted comment: x\n${Buffer.alloc(158, 7).toString("base64")}\n`,
      /is a private key of/u,
    ],
    [
      "signify secret key",
      `untrusted comment: x\n${Buffer.alloc(104, 7).toString("base64")}\n`,
      /is a private key of/u,
    ],
    ["two PEM keys", forms.spki_pem.repeat(2), /holds 2 PEM blocks; wanted one key/u],
    ["a PEM that does not end", forms.spki_pem.slice(0, 60), /begins a PEM block and does not end it/u],
    ["an RSA key", pemOf(rsa.publicKey), /is a key for RSA; wanted Ed25519/u],
    ["an RSA key, PKCS#1", rsa.publicKey.export({ type: "pkcs1", format: "pem" }), /is a key for RSA/u],
    ["an ECDSA key", pemOf(ec.publicKey), /is a key for ECDSA; wanted Ed25519/u],
    ["an X25519 key", pemOf(x25519.publicKey), /is a key for X25519; wanted Ed25519/u],
    [
      "a certificate",
      "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
      /is a PEM block "CERTIFICATE"/u,
    ],
    ["junk in PEM", "-----BEGIN PUBLIC KEY-----\nM*A=\n-----END PUBLIC KEY-----\n", /body is not base64/u],
    [
      "cut DER in PEM",
      "-----BEGIN PUBLIC KEY-----\nMCowBQ==\n-----END PUBLIC KEY-----\n",
      /not a well-formed public key/u,
    ],
    ["an OpenSSH RSA key", sshOf("ssh-rsa", Buffer.from([1, 0, 1])), /OpenSSH key of type "ssh-rsa"/u],
    ["a security key", sshOf("sk-ssh-ed25519@openssh.com", raw), /of type "sk-ssh-ed25519@openssh.com"/u],
    ["an OpenSSH key with a short part", sshOf("ssh-ed25519", raw.subarray(1)), /OpenSSH key of 31 bytes/u],
    ["an OpenSSH key with one part too many", sshOf("ssh-ed25519", raw, raw), /not a whole ssh-ed25519 key/u],
    [
      "an OpenSSH key of another inner type",
      forms.ssh.replace("AAAAC3Nz", "AAAAC3Nx"),
      /not a whole ssh-ed25519 key/u,
    ],
    ["an OpenSSH key that is no base64", "ssh-ed25519 AAAA*", /not a whole ssh-ed25519 key/u],
    ["half the name of a kind of OpenSSH key", "ssh- AAAA", /neither PEM, hex, base64/u],
    ["two OpenSSH keys", `${forms.ssh}\n${forms.ssh}\n`, /more than one line/u],
    [
      "a minisign signature",
      `untrusted comment: x\n${Buffer.alloc(74, 7).toString("base64")}\n`,
      /is a signature of minisign/u,
    ],
    [
      "a cut minisign key",
      `untrusted comment: x\n${forms.minisign.slice(4)}\n`,
      /not a whole minisign or signify key/u,
    ],
    [
      "a minisign line of another algorithm",
      Buffer.concat([Buffer.from("EX"), randomBytes(8), raw]).toString("base64"),
      /has 42 bytes/u,
    ],
    ["JSON", '{"kty":"OKP"}', /is JSON/u],
    ["a huge text", "A".repeat(20_000), /more than 16384 characters/u],
  ];
  test.each(table)("%s", (_name, text, message) => {
    const refusal = refusalOf(() => parsePublicKey(text, "--key"));
    expect(refusal.code).toBe("key_invalid");
    expect(refusal.message).toMatch(message);
    expect(refusal.message).toStartWith("--key ");
    // Whatever it was, its body stays out of the message.
    for (const secret of [pkcs8.slice(20), Buffer.from(seed).toString("hex"), text.trim().slice(-40)]) {
      if (secret.length >= 8) expect(`${refusal.message} ${refusal.hint ?? ""}`).not.toContain(secret);
    }
  });
});
