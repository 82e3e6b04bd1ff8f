/**
 * Bytes that nobody can guess. Of the engine itself: loading
 * node:crypto for them takes longer than all of a short run.
 */
export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** The same in lower-case hex, two characters a byte. */
export function randomHex(length: number): string {
  return randomBytes(length).toHex();
}
