import { Commitments } from "./commitments.ts";
import type { PublicKey } from "./public-key.ts";

/**
 * Verifies one pure Ed25519 signature under one of several keys in one pass over the message, which is never held:
 * SHA-512(R || A || M) runs along for each key, and the curve maths comes at the end. The verdict is that of
 * `verify` in ed25519.ts, because a PublicKey has no torsion in which the two kinds of verifiers could differ.
 */
export class StreamingVerifier {
  readonly #commitments: Commitments;
  readonly #challenges: readonly Bun.CryptoHasher[];

  /** `signature` is 64 bytes, else Failure `signature_malformed`. Without keys nothing verifies. */
  constructor(keys: readonly PublicKey[], signature: Uint8Array) {
    this.#commitments = new Commitments(keys, signature);
    this.#challenges = this.#commitments.prefixes.map((prefix) =>
      new Bun.CryptoHasher("sha512").update(prefix),
    );
  }

  /** The next bytes of the message; they may be overwritten afterwards. */
  update(chunk: Uint8Array): void {
    for (const challenge of this.#challenges) challenge.update(chunk);
  }

  /** The key that made the signature, or null. Call it once. */
  finish(): PublicKey | null {
    return this.#commitments.signer(this.#challenges.map((challenge) => challenge.digest()));
  }
}
