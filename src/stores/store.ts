/** One read of one object. */
export type ObjectRead = {
  readonly key: string;
  /** Ceiling in bytes: one more is `artifact_too_large`. */
  readonly maxBytes: number;
  /** Milliseconds for the whole read. */
  readonly deadlineMs: number;
  readonly stop: AbortSignal;
};

/**
 * Where artifacts lie. A store only brings bytes: nothing that it says about them is believed, the digest and the
 * signature of an assignment decide.
 */
export interface Store {
  /** For messages; holds no credential. */
  readonly name: string;
  /**
   * The bytes of an object as they come; a chunk may be overwritten by the next one. Throws Failure, also while the
   * chunks are read: `not_found`, `object_store_unavailable`, `artifact_too_large`, an auth, protocol, transport or
   * server code, or the interruption.
   */
  open(read: ObjectRead): Promise<AsyncIterable<Uint8Array>>;
}
