import type { ObjectRead } from "../../src/stores/store.ts";

export function reading(key: string, more: Partial<ObjectRead> = {}): ObjectRead {
  return { key, maxBytes: 1_000_000, deadlineMs: 20_000, stop: new AbortController().signal, ...more };
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // Copied: a chunk may be overwritten by the next one.
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}
