import { describe, expect, test } from "bun:test";
import { privateJwk } from "../../src/trust/jwk.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import {
  expectRefused,
  minisign,
  minisignWith,
  openssh,
  opensshText,
  other,
  publicHalf,
  read,
  seed,
} from "./private-keys.ts";
import { refusalOf } from "./refusal.ts";

const jwkText = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...privateJwk(seed, publicHalf), ...change });

describe("private keys of other tools", () => {
  const texts: Readonly<Record<string, string>> = {
    "an OpenSSH file": opensshText(openssh),
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
});

describe("what does not fit in a private JWK is refused, and nothing of it shown", () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    [
      "an x of another key",
      jwkText({ x: Buffer.from(other).toString("base64url") }),
      /does not belong to its seed/u,
    ],
    ["no x", jwkText({ x: undefined }), /"x" is not 32 bytes/u],
    ["a d that is too short", jwkText({ d: "AAAA" }), /"d" is not 32 bytes/u],
    [
      "a d with padding",
      jwkText({ d: `${Buffer.from(seed).toString("base64url")}=` }),
      /"d" is not 32 bytes/u,
    ],
    ["a public one", jwkText({ d: undefined }), /is a public JWK/u],
    ["for encryption", jwkText({ use: "enc" }), /"use" is "enc"/u],
    ["of another curve", jwkText({ crv: "X25519" }), /"crv" is "X25519"/u],
    ["RSA", jwkText({ kty: "RSA" }), /"kty" is "RSA"/u],
    ["two members d", jwkText({}).replace('{"kty"', '{"d":"AAAA","kty"'), /a second member "d"/u],
    ["a set", JSON.stringify({ keys: [privateJwk(seed, publicHalf)] }), /is a set of keys/u],
  ];
  test.each(table)("%s", (_what, text, message) => expectRefused(text, message));
});

test("as a public key, each is known for a private one", () => {
  const [comment, line] = minisign.split("\n");
  for (const text of [opensshText(openssh), jwkText({}), minisign, `${comment}\n${line}`])
    expect(refusalOf(() => parsePublicKey(text, "--key")).message).toMatch(/private key/u);
});
