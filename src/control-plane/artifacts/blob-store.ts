import type { Sha256 } from "../../base/digest.ts";

/** Bytes that are complete and have no name yet. One of the two must be called. */
export type StagedBlob = {
  readonly sha256: Sha256;
  readonly bytes: number;
  /**
   * Gives them their name, durably, and then has them named by a row: one without its bytes would be a promise that we
   * cannot keep. Rejects as `record` does.
   */
  readonly keep: <T>(record: () => Promise<T>) => Promise<T>;
  readonly discard: () => Promise<void>;
};

/** `end` is exclusive. */
export type Piece = { readonly start: number; readonly end: number };

/** Bytes by their SHA-256: the same ones are kept once, and a name never changes its bytes. */
export type BlobStore = {
  /** Takes a stream while hashing it. Throws WireRefusal `too_large` or `storage_full`. */
  readonly receive: (
    chunks: AsyncIterable<Uint8Array>,
    maxBytes: number,
    what: string,
  ) => Promise<StagedBlob>;
  /** Bytes that were kept, all `size` of them without a piece. Throws Failure `object_store_unavailable`. */
  readonly read: (
    sha256: Sha256,
    piece: Piece | null,
    size: number,
  ) => Promise<Blob | AsyncIterable<Uint8Array>>;
};
