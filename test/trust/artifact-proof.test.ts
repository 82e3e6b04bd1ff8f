import { expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSha256, type Sha256 } from "../../src/base/digest.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import { proveArtifact, type Accepted, type ArtifactClaims } from "../../src/trust/artifact-proof.ts";
import type { PublicKey } from "../../src/trust/public-key.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { refusalOfAsync } from "./refusal.ts";
import { inFolder } from "./run-waybill.ts";

const calm = new AbortController().signal;
const bytes = randomBytes(2_500_000);
const key = new SigningKey(randomBytes(32), "the key");
const other = new SigningKey(randomBytes(32), "another key");
const good = signBytes(key, bytes);
const wrong = signBytes(key, bytes.subarray(1));
const malformed = new Failure("signature_malformed", "no signature");

function sha256(of: Uint8Array): Sha256 {
  const hex = createHash("sha256").update(of).digest("hex");
  if (!isSha256(hex)) throw new Error("no digest");
  return hex;
}

const keys = [other.publicKey, key.publicKey];
type Kind = Accepted["kind"];
type Wanted = { readonly sha256: Sha256 | null; readonly signature: Signed | null };
type Signed = { readonly bytes: Uint8Array | Failure; readonly keys: readonly PublicKey[] };

function claimsOf({ sha256, signature }: Wanted): ArtifactClaims {
  const found = signature?.bytes ?? malformed;
  const read = found instanceof Failure ? found : ({ format: "raw", signature: found } as const);
  return {
    sha256,
    signatures: signature === null ? [] : [{ signature: read, formatNamed: true }],
    rules: { keys: signature?.keys ?? [], namespace: "n", allowLegacy: false },
    judge: () => null,
    threshold: 1,
  };
}

const table: readonly (readonly [string, Wanted, readonly Kind[], readonly FailureCode[]])[] = [
  ["digest", { sha256: sha256(bytes), signature: null }, ["sha256"], []],
  ["signature", { sha256: null, signature: { bytes: good, keys } }, ["signature"], []],
  ["both", { sha256: sha256(bytes), signature: { bytes: good, keys } }, ["sha256", "signature"], []],
  ["wrong digest", { sha256: sha256(good), signature: null }, [], ["hash_mismatch"]],
  ["wrong signature", { sha256: null, signature: { bytes: wrong, keys } }, [], ["signature_invalid"]],
  [
    "another key",
    { sha256: null, signature: { bytes: good, keys: [other.publicKey] } },
    [],
    ["signature_invalid"],
  ],
  ["no key", { sha256: null, signature: { bytes: good, keys: [] } }, [], ["signature_invalid"]],
  [
    "malformed signature",
    { sha256: null, signature: { bytes: malformed, keys } },
    [],
    ["signature_malformed"],
  ],
  [
    "good digest, wrong signature",
    { sha256: sha256(bytes), signature: { bytes: wrong, keys } },
    ["sha256"],
    ["signature_invalid"],
  ],
  [
    "both wrong: each is told",
    { sha256: sha256(good), signature: { bytes: wrong, keys } },
    [],
    ["hash_mismatch", "signature_invalid"],
  ],
];

test.each(table)("%s", async (_name, claims, accepted, refused) => {
  await inFolder(async (folder) => {
    const path = join(folder, "artifact");
    writeFileSync(path, bytes);
    const verdict = await proveArtifact(path, claimsOf(claims), calm);
    expect(verdict.accepted.map(({ kind }) => kind)).toEqual([...accepted]);
    expect(verdict.refusals.map(({ code }) => code)).toEqual([...refused]);
    expect(verdict.refusals.every((refusal) => refusal.exitCode === 6)).toBe(true);
    expect(verdict.checked).toBe(accepted.length + refused.length);
    expect([verdict.size, String(verdict.sha256)]).toEqual([bytes.length, String(sha256(bytes))]);
  });
});

test("a file that is cut or grows while it is read", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "artifact");
    for (const change of [() => truncateSync(path, 5), () => appendFileSync(path, "more")]) {
      writeFileSync(path, bytes);
      const { signal } = new AbortController();
      // Asked after the file was opened and before its first byte is read.
      Object.defineProperty(signal, "aborted", { get: () => (change(), false) });
      const claims = claimsOf({ sha256: sha256(bytes), signature: null });
      expect((await refusalOfAsync(() => proveArtifact(path, claims, signal))).code).toBe("file_changed");
    }
  });
});
