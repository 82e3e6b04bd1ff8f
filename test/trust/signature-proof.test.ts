import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import type { DetachedSignature } from "../../src/trust/detached-signature.ts";
import { globalMessage } from "../../src/trust/minisign-signature.ts";
import { publicKeyFromBytes, type PublicKey } from "../../src/trust/public-key.ts";
import { proveSignature, type SignatureRules, type Signer } from "../../src/trust/signature-proof.ts";
import { sshSignedData, type SshHash } from "../../src/trust/sshsig.ts";
import { StreamingVerifier } from "../../src/trust/streaming-verifier.ts";
import { ALICE, BOB } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

/** Whose signature it is, without a file: the bytes are given, in pieces. */

const BYTES = new TextEncoder().encode("what was signed");
const NUMBER = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const OTHER_NUMBER = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9);
const numbered = (key: typeof ALICE, number: Uint8Array): PublicKey =>
  publicKeyFromBytes(key.publicKey.bytes, "the key", number);

const RULES: SignatureRules = {
  keys: [BOB.publicKey, ALICE.publicKey],
  namespace: "artifact@waybill",
  allowLegacy: false,
};

function proved(
  signature: DetachedSignature,
  rules: Partial<SignatureRules> = {},
  bytes: Uint8Array = BYTES,
): Signer | string {
  const found = finished(signature, rules, bytes);
  return found instanceof Failure ? found.code : found;
}

function finished(
  signature: DetachedSignature,
  rules: Partial<SignatureRules>,
  bytes: Uint8Array,
): Signer | Failure {
  const proof = proveSignature(signature, { ...RULES, ...rules }, "app");
  const middle = Math.floor(bytes.length / 2);
  proof.update(bytes.subarray(0, middle));
  proof.update(bytes.subarray(middle));
  return proof.finish();
}

const byAlice = (changes: Partial<Signer> = {}): Signer => ({
  key: ALICE.publicKey,
  trustedComment: null,
  namespace: null,
  ...changes,
});

const digestOf = (algorithm: "blake2b512" | SshHash, bytes: Uint8Array = BYTES): Uint8Array =>
  new Uint8Array(new Bun.CryptoHasher(algorithm).update(bytes).digest());

const raw = (bytes: Uint8Array = BYTES): DetachedSignature => ({
  format: "raw",
  signature: signBytes(ALICE, bytes),
});
const signify = (bytes: Uint8Array = BYTES): DetachedSignature => ({
  format: "signify",
  keyNumber: NUMBER,
  signature: signBytes(ALICE, bytes),
});
function minisign(algorithm: "ED" | "Ed", signed: string, written = signed): DetachedSignature {
  const [comment, trustedComment] = [signed, written].map((text) => new TextEncoder().encode(text));
  const signature = signBytes(ALICE, algorithm === "ED" ? digestOf("blake2b512") : BYTES);
  return {
    format: "minisign",
    algorithm,
    keyNumber: NUMBER,
    signature,
    trustedComment: trustedComment ?? new Uint8Array(),
    globalSignature: signBytes(ALICE, globalMessage(signature, comment ?? new Uint8Array())),
  };
}
const ssh = (hash: SshHash, namespace = "artifact@waybill", claimed = ALICE): DetachedSignature => ({
  format: "ssh",
  key: claimed.publicKey.bytes,
  namespace,
  hash,
  signature: signBytes(ALICE, sshSignedData(namespace, hash, digestOf(hash))),
});

describe("a signature", () => {
  const good: [string, DetachedSignature, Signer][] = [
    ["over the bytes alone", raw(), byAlice()],
    ["of signify", signify(), byAlice()],
    ["of minisign", minisign("ED", "by me"), byAlice({ trustedComment: "by me" })],
    ["of ssh-keygen, by SHA-512", ssh("sha512"), byAlice({ namespace: "artifact@waybill" })],
    ["of ssh-keygen, by SHA-256", ssh("sha256"), byAlice({ namespace: "artifact@waybill" })],
  ];
  test.each(good)("%s names its signer, and nobody else's key does", (_what, signature, signer) => {
    expect(proved(signature)).toEqual(signer);
    const stranger = signature.format === "ssh" ? "signer_unknown" : "signature_invalid";
    expect(proved(signature, { keys: [BOB.publicKey] })).toBe(stranger);
    expect(proved(signature, {}, BYTES.slice(1))).toBe("signature_invalid");
  });

  test("is of the legacy kind only where that may be", () => {
    const legacy = minisign("Ed", "by me");
    expect(proved(legacy)).toBe("signature_legacy");
    expect(proved(legacy, { allowLegacy: true })).toEqual(byAlice({ trustedComment: "by me" }));
    expect(proved(legacy, { allowLegacy: true }, BYTES.slice(1))).toBe("signature_invalid");
  });

  test("vouches for its comment, as it was signed", () => {
    expect(proved(minisign("ED", "by me", "by you"))).toBe("trusted_comment_invalid");
    expect(proved(minisign("Ed", "by me", "by you"), { allowLegacy: true })).toBe("trusted_comment_invalid");
  });

  test("is for one namespace, by the key that it names", () => {
    expect(proved(ssh("sha512", "git"))).toBe("namespace_mismatch");
    expect(proved(ssh("sha512", "git"), { namespace: "git" })).toEqual(byAlice({ namespace: "git" }));
    expect(proved(ssh("sha512", "artifact@waybill", BOB))).toBe("signature_invalid");
  });
});

describe("the number of a key", () => {
  const table: [string, PublicKey[], Signer | string][] = [
    ["is the one in the signature", [numbered(ALICE, NUMBER)], byAlice({ key: numbered(ALICE, NUMBER) })],
    ["is another one", [numbered(ALICE, OTHER_NUMBER)], "signer_unknown"],
    ["is not known", [ALICE.publicKey], byAlice()],
    ["leads to another key", [numbered(BOB, NUMBER), numbered(ALICE, OTHER_NUMBER)], "signature_invalid"],
    [
      "is another one beside a key without",
      [numbered(ALICE, OTHER_NUMBER), BOB.publicKey],
      "signature_invalid",
    ],
    ["is that of no key", [], "signer_unknown"],
  ];
  test.each(table)("%s", (_what, keys, wanted) => {
    expect(proved(signify(), { keys })).toEqual(wanted);
    const named = typeof wanted === "string" ? wanted : { ...wanted, trustedComment: "by me" };
    expect(proved(minisign("ED", "by me"), { keys })).toEqual(named);
  });
});

test("keys of other numbers are told", () => {
  const keys = [numbered(ALICE, OTHER_NUMBER), numbered(BOB, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0xab))];
  expect(finished(signify(), { keys }, BYTES)).toMatchObject({
    message:
      "the signature is by key number 807060504030201; the given keys have 907060504030201, AB00000000000009",
  });
});

test("a key that is given twice is the one that was given first", () => {
  const twice = [numbered(ALICE, NUMBER), ALICE.publicKey];
  for (const signature of [raw(), signify(), minisign("ED", "by me"), ssh("sha512")])
    for (const keys of [twice, twice.toReversed()])
      expect(proved(signature, { keys })).toMatchObject({ key: { keyNumber: keys[0]?.keyNumber ?? null } });
});

test("a signature whose response is above the order of the group is none", () => {
  const signature = raw().signature.slice().fill(0xff, 32);
  expect(proved({ format: "raw", signature })).toBe("signature_invalid");
});

test("a signature of another length is none", () => {
  for (const length of [0, 63, 65]) {
    const signature = new Uint8Array(length);
    expect(refusalOf(() => new StreamingVerifier([ALICE.publicKey], signature)).code).toBe(
      "signature_malformed",
    );
  }
});

describe("bytes that may be the hash of others", () => {
  test.each([
    [63, false],
    [64, true],
    [65, false],
  ])("%p of them are signed as they are: not where nobody said so", (size, doubtful) => {
    const bytes = new Uint8Array(size).fill(7);
    for (const signature of [raw(bytes), signify(bytes)]) {
      expect(proved(signature, {}, bytes)).toEqual(doubtful ? "signature_legacy" : byAlice());
      expect(proved(signature, { allowLegacy: true }, bytes)).toEqual(byAlice());
      if (doubtful)
        expect(finished(signature, {}, bytes)).toMatchObject({
          hint: expect.stringContaining(`--signature-format ${signature.format} `),
        });
      expect(proved(signature, { keys: [BOB.publicKey] }, bytes)).toBe("signature_invalid");
    }
  });
});
