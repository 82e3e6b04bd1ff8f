import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { array, assert, constantFrom, integer, nat, property, record } from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { formatAllowedSigners, parseAllowedSigners } from "../../src/trust/allowed-signers.ts";
import { formatOf, parseDetachedSignature } from "../../src/trust/detached-signature.ts";
import { privateForm, publicForm } from "../../src/trust/key-conversion.ts";
import { formatMinisignSignature } from "../../src/trust/minisign-signature.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { parseSigningKey, SigningKey } from "../../src/trust/signing-key.ts";
import { formatSshSignature } from "../../src/trust/sshsig.ts";
import { formatTrustRoot, parseTrustRoot } from "../../src/trust/trust-root-document.ts";
import { aRoot, trusted } from "./roots.ts";

const key = new SigningKey(randomBytes(32), "the key");
const signature = new Uint8Array(randomBytes(64));
const ssh = formatSshSignature({ key: key.publicKey.bytes, namespace: "file", hash: "sha512", signature });
const minisign = formatMinisignSignature(
  {
    algorithm: "ED",
    keyNumber: new Uint8Array(8),
    signature,
    trustedComment: new TextEncoder().encode("timestamp:1\tfile:a"),
    globalSignature: signature,
  },
  "x",
);
const signify = `${minisign.split("\n").slice(0, 2).join("\n").replace("RU", "RW")}\n`;
const root = aRoot([trusted("a", { namespaces: ["file"], validUntil: new Date(0) })]);

const detached = (text: string): unknown => {
  const bytes = Buffer.from(text, "latin1");
  return parseDetachedSignature(bytes, formatOf(bytes), "the signature");
};
const parsers: readonly (readonly [string, string, (text: string) => unknown])[] = [
  ["SSHSIG", ssh, detached],
  ["minisign signature", minisign, detached],
  ["signify signature", signify, detached],
  ["raw signature", Buffer.from(signature).toString("base64"), detached],
  ["allowed signers", formatAllowedSigners(root.keys), (text) => parseAllowedSigners(text, "it")],
  ["trust root", formatTrustRoot(root), (text) => parseTrustRoot(text, "it")],
  ...(["spki", "ssh", "minisign", "jwk", "raw"] as const).map(
    (form) =>
      [
        `public ${form}`,
        publicForm(key.publicKey, form),
        (text: string) => parsePublicKey(text, "it"),
      ] as const,
  ),
  ...(["pkcs8", "ssh", "minisign", "jwk", "raw"] as const).map(
    (form) =>
      [
        `private ${form}`,
        privateForm(key, form, randomBytes, undefined),
        (text: string) => parseSigningKey(text, "it"),
      ] as const,
  ),
];

/** A few bytes changed, taken out, or put in; sometimes the half of it is gone. */
const mutation = record({
  at: nat(),
  kind: constantFrom("change", "drop", "insert", "cut", "double"),
  byte: integer({ min: 0, max: 255 }),
});

function mutate(text: string, changes: readonly { at: number; kind: string; byte: number }[]): string {
  return changes.reduce((bytes, { at, kind, byte }) => {
    const place = at % (bytes.length + 1);
    const [before, after] = [bytes.slice(0, place), bytes.slice(place)];
    const letter = String.fromCharCode(byte);
    if (kind === "change") return `${before}${letter}${after.slice(1)}`;
    if (kind === "drop") return `${before}${after.slice(1)}`;
    if (kind === "insert") return `${before}${letter}${after}`;
    return kind === "cut" ? before : `${bytes}${bytes}`;
  }, text);
}

describe("what is not read is refused with our own failure", () => {
  test.each(parsers)("%s, whole", (_name, text, parse) => {
    expect(() => parse(text)).not.toThrow();
  });

  test.each(parsers)("%s, changed at random", (_name, text, parse) => {
    assert(
      property(array(mutation, { minLength: 1, maxLength: 4 }), (changes) => {
        try {
          parse(mutate(text, changes));
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          expect([
            "key_invalid",
            "key_weak",
            "signature_malformed",
            "signature_unsupported",
            "trust_root_invalid",
          ]).toContain(error.code);
        }
      }),
      { numRuns: 150 },
    );
  });
});
