import { expect, test } from "bun:test";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { verify } from "../../src/trust/ed25519.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";
import { ALICE, BOB } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const MESSAGE = new TextEncoder().encode("the message");

test("what is signed verifies under the key", () => {
  const signature = signBytes(ALICE, MESSAGE);
  expect(verify(signature, MESSAGE, ALICE.publicKey.bytes)).toBe(true);
  expect(verify(signature, MESSAGE, BOB.publicKey.bytes)).toBe(false);
});

test("a signature that does not verify stays here", () => {
  // As if a bit of the seed had flipped in memory after the public half was derived.
  const faulty = { publicKey: ALICE.publicKey, seed: () => BOB.seed() } as unknown as SigningKey;
  const refusal = refusalOf(() => signBytes(faulty, MESSAGE));
  expect([refusal.code, refusal.message, refusal.hint]).toEqual([
    "internal_error",
    "the signature that was just made does not verify; it was thrown away",
    "check this machine's memory, and run again",
  ]);
});
