import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { LIMITS } from "../../src/base/limits.ts";
import { parseRawSignature } from "../../src/trust/signature-text.ts";
import { refusalOf } from "./refusal.ts";

// Random, and sure to hold what tells the two base64 alphabets apart.
const signature = Buffer.concat([Buffer.from([0xfb, 0xef, 0xff, 0xfe]), randomBytes(60)]);
const hex = signature.toString("hex");
const base64 = signature.toString("base64");

describe("every spelling of a raw signature", () => {
  const texts: Readonly<Record<string, string>> = {
    hex,
    "hex in capitals": hex.toUpperCase(),
    "hex in both cases": hex.replace(/[a-f]/u, (digit) => digit.toUpperCase()),
    base64,
    "base64 without padding": base64.replace(/=+$/u, ""),
    "URL-safe base64": signature.toString("base64url"),
    "URL-safe base64 with padding": `${signature.toString("base64url")}==`,
    "white space around": ` \t\r\n${base64}\r\n\n`,
    "base64 in lines": base64.replace(/(.{64})/u, "$1\r\n"),
    "hex in lines": hex.replace(/(.{60})/gu, "$1\n"),
  };
  test.each(Object.entries(texts))("%s", (_name, text) => {
    expect(Buffer.from(parseRawSignature(text)).equals(signature)).toBe(true);
    expect(Buffer.from(parseRawSignature(Buffer.from(text))).equals(signature)).toBe(true);
  });

  test("a text as long as any may be", () => {
    const long = hex.padStart(LIMITS.keyFileBytes);
    expect(Buffer.from(parseRawSignature(long)).equals(signature)).toBe(true);
    expect(refusalOf(() => parseRawSignature(` ${long}`)).message).toContain("more than");
  });

  test("64 raw bytes are text when each of them is", () => {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(64).fill(0x41).fill(byte, 20, 21);
      const isText = (byte >= 0x20 && byte < 0x7f) || [9, 10, 11, 12, 13].includes(byte);
      if (isText) expect(() => parseRawSignature(bytes)).toThrow();
      else expect(parseRawSignature(bytes)).toEqual(bytes);
    }
  });

  test("64 raw bytes, whatever they are", () => {
    for (let round = 0; round < 200; round++) {
      const bytes = new Uint8Array(randomBytes(64));
      expect(parseRawSignature(bytes)).toEqual(bytes);
    }
  });
});

const minisig = Buffer.concat([Buffer.from("ED"), randomBytes(72)]).toString("base64");
const minisignKey = Buffer.concat([Buffer.from("Ed"), randomBytes(40)]).toString("base64");

const labelled = (label: string, length: number): string =>
  Buffer.concat([Buffer.from(label), randomBytes(length)]).toString("base64");

describe("what is no raw signature is named", () => {
  const table: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ["nothing", "", /is empty/u],
    ["an empty file", new Uint8Array(), /is empty/u],
    ["white space", " \t\r\n ", /is empty/u],
    ["63 raw bytes", signature.subarray(1), /has 63 raw bytes/u],
    ["65 raw bytes", Buffer.concat([signature, Buffer.from("\n")]), /has 65 raw bytes/u],
    ["63 bytes in hex", hex.slice(2), /is 63 bytes/u],
    ["65 bytes in hex", `${hex}00`, /is 65 bytes/u],
    ["63 bytes in base64", signature.subarray(1).toString("base64"), /is 63 bytes/u],
    [
      "65 bytes in base64",
      Buffer.concat([signature, signature.subarray(0, 1)]).toString("base64"),
      /is 65 bytes/u,
    ],
    ["a sha256", randomBytes(32).toString("hex"), /is 32 bytes, which looks like a digest/u],
    ["a space inside", `${base64.slice(0, 40)} ${base64.slice(40)}`, /is neither hex nor base64/u],
    ["junk behind", `${base64}*`, /is neither hex nor base64/u],
    ["both alphabets", `-${base64.slice(1, 85)}+==`, /is neither hex nor base64/u],
    [
      "a minisign file",
      `untrusted comment: x\n${minisig}\ntrusted comment: y\n${base64}\n`,
      /looks like a minisign or signify signature/u,
    ],
    ["the second line of a minisign file", minisig, /looks like a minisign or signify signature/u],
    ["a minisign key", minisignKey, /looks like a minisign or signify public key/u],
    [
      "SSHSIG",
      "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n",
      /looks like an OpenSSH signature/u,
    ],
    ["OpenPGP", "-----BEGIN PGP SIGNATURE-----\n\nabcd\n", /looks like an OpenPGP signature/u],
    ["a PEM key", "-----BEGIN PUBLIC KEY-----\nMAA=\n", /looks like a PEM block, public key/u],
    ["an armor behind something", "x -----BEGIN SSH SIGNATURE-----", /is neither hex nor base64/u],
    ["an OpenSSH key", "ssh-ed25519 AAAA x", /looks like an OpenSSH public key/u],
    ["an OpenSSH key behind something", "x ssh-ed25519 AAAA x", /is neither hex nor base64/u],
    ["half the name of a kind of key", "ssh- AAAA", /is neither hex nor base64/u],
    ["a comment alone", "untrusted comment: x", /looks like a minisign or signify signature/u],
    ["a comment and junk", "untrusted comment: x\n*", /looks like a minisign or signify signature/u],
    ["minisign's beginning, too long", labelled("ED", 73), /is 75 bytes/u],
    ["minisign's length, another beginning", labelled("EX", 72), /is 74 bytes/u],
    ["minisign's length, another first letter", labelled("XD", 72), /is 74 bytes/u],
    ["signify's beginning", labelled("Ed", 72), /looks like a minisign or signify signature/u],
    ["an envelope", '{"payload":""}', /looks like a JSON document/u],
    ["a huge text", "A".repeat(20_000), /more than 16384 characters/u],
  ];
  test.each(table)("%s", (_name, input, message) => {
    const refusal = refusalOf(() => parseRawSignature(input));
    expect(refusal.code).toBe("signature_malformed");
    expect(refusal.exitCode).toBe(6);
    expect(refusal.message).toMatch(message);
    expect(refusal.message).toContain("wanted a raw Ed25519 signature");
  });
});
