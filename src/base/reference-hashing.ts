import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "./encoding.ts";

/**
 * SHA-256 by @noble/hashes: the reference that tests and `doctor` hold the engine against. In a file of its own, since
 * loading it takes longer than all that a short run hashes.
 */
export function referenceSha256(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}
