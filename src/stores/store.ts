import type { Sha256 } from "../base/digest.ts";

/** One read of one object. */
export type ObjectRead = {
  readonly key: string;
  /** The digest that the bytes will be held against; stores that find objects by their content ask for it. */
  readonly sha256?: Sha256;
  /** Ceiling in bytes: one more is `artifact_too_large`. */
  readonly maxBytes: number;
  /** Milliseconds for the whole read. */
  readonly deadlineMs: number;
  readonly stop: AbortSignal;
  /** Where an earlier read of the same object broke off. */
  readonly resume?: Resume;
};

/** Bytes that are here already, and what the server said about the object that they are of. */
export type Resume = {
  /** Bytes, more than 0. */
  readonly offset: number;
  readonly validator: Validator;
};

/** By which a server knows a version of an object again: a strong entity tag, or a date of change. */
export type Validator = {
  readonly kind: "etag" | "date";
  readonly text: string;
};

/** The bytes of an object as they come; a chunk may be overwritten by the next one. */
export interface ObjectStream extends AsyncIterable<Uint8Array> {
  /** The first byte that comes: that of `resume`, or 0 when the store starts over. */
  readonly offset: number;
  /** Bytes of the whole object, when the store knows. */
  readonly length: number | null;
  /** null when a broken read of this object cannot be resumed. */
  readonly validator: Validator | null;
}

/**
 * Where artifacts lie. A store only brings bytes: nothing that it says about them is believed, the digest and the
 * signature of an assignment decide.
 */
export interface Store {
  /** For messages and for blame; holds no credential. */
  readonly name: string;
  /**
   * Throws Failure, also while the chunks are read: `not_found`, `object_store_unavailable`, `artifact_too_large`,
   * an auth, protocol, transport or server code, or the interruption.
   */
  open(read: ObjectRead): Promise<ObjectStream>;
}

/** A whole file for a store. */
export type ObjectWrite = {
  readonly key: string;
  readonly file: string;
  readonly sha256: Sha256;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds for the whole write. */
  readonly deadlineMs: number;
  readonly stop: AbortSignal;
};

/** A store that also takes objects. What it answers is no proof: whoever writes reads back. */
export interface WritableStore extends Store {
  /** Throws Failure as `open` does. */
  write(object: ObjectWrite): Promise<void>;
}

/** A stream from the first byte, by a store that cannot resume. */
export function wholeObject(chunks: AsyncIterable<Uint8Array>, length: number | null): ObjectStream {
  return { offset: 0, length, validator: null, [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator]() };
}
