import { Failure } from "../base/failure.ts";
import { expectedCommitment, SIGNATURE_BYTES } from "./ed25519.ts";
import type { PublicKey } from "./public-key.ts";

/**
 * Verifies one pure Ed25519 signature under one of several keys in one pass over the message, which is never held:
 * SHA-512(R || A || M) runs along for each key, and the curve maths comes at the end. The verdict is that of
 * `verify` in ed25519.ts, because a PublicKey has no torsion in which the two kinds of verifiers could differ.
 */
export class StreamingVerifier {
  readonly #commitment: Uint8Array;
  readonly #response: Uint8Array;
  readonly #challenges: readonly { readonly key: PublicKey; readonly engine: Bun.CryptoHasher }[];

  /** `signature` is 64 bytes, else Failure `signature_malformed`. Without keys nothing verifies. */
  constructor(keys: readonly PublicKey[], signature: Uint8Array) {
    if (signature.length !== SIGNATURE_BYTES)
      throw new Failure(
        "signature_malformed",
        `the signature has ${signature.length} bytes; wanted ${SIGNATURE_BYTES}`,
      );
    this.#commitment = signature.slice(0, 32);
    this.#response = signature.slice(32);
    this.#challenges = keys.map((key) => ({
      key,
      engine: new Bun.CryptoHasher("sha512").update(this.#commitment).update(key.bytes),
    }));
  }

  /** The next bytes of the message; they may be overwritten afterwards. */
  update(chunk: Uint8Array): void {
    for (const { engine } of this.#challenges) engine.update(chunk);
  }

  /** The key that made the signature, or null. Call it once. */
  finish(): PublicKey | null {
    for (const { key, engine } of this.#challenges) {
      const expected = expectedCommitment(this.#response, engine.digest(), key.bytes);
      // Encodings are compared, so an R in another spelling than its canonical one is refused.
      if (expected !== null && Buffer.compare(expected, this.#commitment) === 0) return key;
    }
    return null;
  }
}
