import { joined } from "../base/bytes.ts";
import { Failure } from "../base/failure.ts";
import { expectedCommitment, SIGNATURE_BYTES } from "./ed25519.ts";
import type { PublicKey } from "./public-key.ts";

/**
 * One signature and the keys that may have made it, for bytes that somebody else hashes: SHA-512(R || A || M) for
 * each key A, where `prefixes` are the R || A.
 */
export class Commitments {
  readonly prefixes: readonly Uint8Array[];
  readonly #keys: readonly PublicKey[];
  readonly #commitment: Uint8Array;
  readonly #response: Uint8Array;

  /** `signature` is 64 bytes, else Failure `signature_malformed`. */
  constructor(keys: readonly PublicKey[], signature: Uint8Array) {
    if (signature.length !== SIGNATURE_BYTES) {
      throw new Failure(
        "signature_malformed",
        `the signature has ${signature.length} bytes; wanted ${SIGNATURE_BYTES}`,
      );
    }
    this.#keys = keys;
    this.#commitment = signature.slice(0, 32);
    this.#response = signature.slice(32);
    this.prefixes = keys.map((key) => joined(this.#commitment, key.bytes));
  }

  /** The key that signed the bytes whose digests these are, in the order of `prefixes`, or null. */
  signer(sha512: readonly Uint8Array[]): PublicKey | null {
    for (const [index, key] of this.#keys.entries()) {
      const digest = sha512[index];
      const expected = digest === undefined ? null : expectedCommitment(this.#response, digest, key.bytes);
      // Encodings are compared, so an R in another spelling than its canonical one is refused.
      if (expected !== null && Buffer.compare(expected, this.#commitment) === 0) return key;
    }
    return null;
  }
}
