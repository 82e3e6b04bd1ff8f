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
    [
      "a d with padding",
      jwkText({ d: `${Buffer.from(seed).toString("base64url")}=` }),
      /"d" is not 32 bytes/u,
    ],
    ["two members d", jwkText({}).replace('{"kty"', '{"d":"AAAA","kty"'), /a second member "d"/u],
  ];
  test.each(table)("%s", (_what, text, message) => expectRefused(text, message));
});

test("as a public key, each is known for a private one", () => {
  for (const text of [opensshText(openssh), jwkText({}), minisign])
    expect(refusalOf(() => parsePublicKey(text, "--key")).message).toMatch(/private key/u);
});
