import { closeSync, openSync, readSync } from "node:fs";

const PIECE_BYTES = 1_048_576;

/** Gives a file of any size to `take`, piece by piece; a piece is only good until `take` returns. */
export function eachPiece(path: string, take: (piece: Uint8Array) => void): void {
  const descriptor = openSync(path, "r");
  try {
    const buffer = new Uint8Array(PIECE_BYTES);
    for (let read = -1; read !== 0;) {
      read = readSync(descriptor, buffer, 0, buffer.length, null);
      take(buffer.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}
