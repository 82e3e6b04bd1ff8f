import { BLOCK_BYTES } from "./tar-header.ts";

/** A POSIX header for a regular file, the same on every machine and at every time. `size` is below 8 GiB. */
export function writeTarHeader(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (text: string, at: number): void => void new TextEncoder().encodeInto(text, block.subarray(at));
  put(name, 0);
  put("0000644\u0000", 100);
  put("0000000\u0000", 108);
  put("0000000\u0000", 116);
  put(`${size.toString(8).padStart(11, "0")}\u0000`, 124);
  put("00000000000\u0000", 136);
  put("        0", 148);
  put("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  return block;
}

/** The zeros that fill the last block of a file. */
export function paddingOf(size: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}
