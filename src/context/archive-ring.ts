import { PieceSegments, type SegmentsMemory } from "./piece-segments.ts";

const EVENTS = 0;
const PROGRESS = 1;
const FILLED = 2;
const HASHED = 3;
const ENDED = 4;
const STOPPED = 5;
const WRITING = 6;
const HEADER_INTS = 8;

const SLOT_INTS = 4;
const STATE = 0;
const NUMBER = 1;
const LENGTH = 2;
const PACKED_LENGTH = 3;

const FREE = 0;
const FULL = 1;
const TAKEN = 2;
const PACKED = 3;

/** What threads are told, once: the memory that they share. */
export type RingMemory = {
  readonly control: SharedArrayBuffer;
  readonly pieces: readonly SharedArrayBuffer[];
  /** Empty for an archive that is not compressed. */
  readonly packed: readonly SharedArrayBuffer[];
  readonly segments: readonly SegmentsMemory[];
};

/**
 * The pieces of an archive on their way: the main thread fills them in order, one thread hashes them in the same
 * order, and whoever is free packs them (compresses, or writes what is not compressed). A place in the ring is
 * filled anew once its piece is both hashed and packed. Pieces are known by their number in the archive.
 */
export class ArchiveRing {
  readonly memory: RingMemory;
  readonly slots: number;
  readonly pieceBytes: number;
  readonly #control: Int32Array;
  readonly #pieces: readonly Buffer[];
  readonly #packed: readonly Buffer[];
  readonly #segments: readonly PieceSegments[];

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.slots = memory.pieces.length;
    this.pieceBytes = at(memory.pieces, 0).byteLength;
    this.#control = new Int32Array(memory.control);
    this.#pieces = memory.pieces.map((piece) => Buffer.from(piece));
    this.#packed = memory.packed.map((packed) => Buffer.from(packed));
    this.#segments = memory.segments.map((segments) => new PieceSegments(segments));
  }

  static of(slots: number, pieceBytes: number, compressed: boolean): ArchiveRing {
    const make = (bytes: number): SharedArrayBuffer[] =>
      Array.from({ length: slots }, () => new SharedArrayBuffer(bytes));
    return new ArchiveRing({
      control: new SharedArrayBuffer(4 * (HEADER_INTS + slots * SLOT_INTS)),
      pieces: make(pieceBytes),
      // With what a compressor may add to bytes that cannot be compressed.
      packed: compressed ? make(pieceBytes + pieceBytes / 8) : [],
      segments: Array.from({ length: slots }, () => PieceSegments.memory(pieceBytes)),
    });
  }

  // What the main thread does.

  /** The room of a piece that is being filled. */
  room(piece: number): Buffer {
    return at(this.#pieces, piece % this.slots);
  }

  isFree(piece: number): boolean {
    return this.#state(piece) === FREE;
  }

  publish(piece: number, length: number): void {
    const slot = piece % this.slots;
    this.#setSlot(slot, NUMBER, piece);
    this.#setSlot(slot, LENGTH, length);
    Atomics.store(this.#control, HEADER_INTS + slot * SLOT_INTS + STATE, FULL);
    Atomics.store(this.#control, FILLED, piece + 1);
    this.#wakeThreads();
  }

  /** True when others are done with it. */
  isThrough(piece: number): boolean {
    return this.#state(piece) === PACKED && Atomics.load(this.#control, HASHED) > piece;
  }

  /** Gives its place back, to be filled anew. */
  free(piece: number): void {
    const slot = piece % this.slots;
    this.segments(piece).clear();
    Atomics.store(this.#control, HEADER_INTS + slot * SLOT_INTS + STATE, FREE);
  }

  /** No piece follows. */
  end(): void {
    Atomics.store(this.#control, ENDED, 1);
    this.#wakeThreads();
  }

  /** Waits a little for something to happen since `progress` was asked. */
  waitForProgress(since: number, milliseconds: number): void {
    Atomics.wait(this.#control, PROGRESS, since, milliseconds);
  }

  progress(): number {
    return Atomics.load(this.#control, PROGRESS);
  }

  // What every thread does.

  /** Nobody wants the archive any more. */
  stop(): void {
    Atomics.store(this.#control, STOPPED, 1);
    this.#wakeThreads();
    this.#progressed();
  }

  isStopped(): boolean {
    return Atomics.load(this.#control, STOPPED) !== 0;
  }

  content(piece: number): Buffer {
    const slot = piece % this.slots;
    return at(this.#pieces, slot).subarray(0, this.#slot(slot, LENGTH));
  }

  segments(piece: number): PieceSegments {
    return at(this.#segments, piece % this.slots);
  }

  /** Takes a piece to write it as it is. One thread at a time: the others would wait in the kernel for the file. */
  takeToWrite(): number | null {
    if (Atomics.compareExchange(this.#control, WRITING, 0, 1) !== 0) return null;
    const piece = this.takeToPack();
    if (piece === null) Atomics.store(this.#control, WRITING, 0);
    return piece;
  }

  /** Takes a piece that nobody packs yet, one of the oldest; null when there is none. */
  takeToPack(): number | null {
    const filled = Atomics.load(this.#control, FILLED);
    for (let piece = Math.max(0, filled - this.slots); piece < filled; piece++) {
      const slot = piece % this.slots;
      const state = HEADER_INTS + slot * SLOT_INTS + STATE;
      // The place may hold a younger piece by now, so it says itself which one was taken.
      if (Atomics.compareExchange(this.#control, state, FULL, TAKEN) === FULL)
        return this.#slot(slot, NUMBER);
    }
    return null;
  }

  /** What compression made of a piece. */
  packed(piece: number, compressed: Uint8Array): void {
    const slot = piece % this.slots;
    at(this.#packed, slot).set(compressed);
    this.#setSlot(slot, PACKED_LENGTH, compressed.length);
    this.#through(piece);
  }

  /** A piece is written, and another one may be. */
  written(piece: number): void {
    Atomics.store(this.#control, WRITING, 0);
    this.#through(piece);
    this.#wakeThreads();
  }

  #through(piece: number): void {
    const slot = piece % this.slots;
    Atomics.store(this.#control, HEADER_INTS + slot * SLOT_INTS + STATE, PACKED);
    this.#progressed();
  }

  packedContent(piece: number): Buffer {
    const slot = piece % this.slots;
    return at(this.#packed, slot).subarray(0, this.#slot(slot, PACKED_LENGTH));
  }

  // What the threads beside do.

  /** The next piece to hash, or null when it is not filled yet. */
  nextToHash(): number | null {
    const hashed = Atomics.load(this.#control, HASHED);
    return hashed < Atomics.load(this.#control, FILLED) ? hashed : null;
  }

  hashed(piece: number): void {
    Atomics.store(this.#control, HASHED, piece + 1);
    this.#progressed();
  }

  isEnded(): boolean {
    return Atomics.load(this.#control, ENDED) !== 0;
  }

  events(): number {
    return Atomics.load(this.#control, EVENTS);
  }

  /** Sleeps until the main thread did something since `events` was asked. */
  waitForEvent(since: number): void {
    Atomics.wait(this.#control, EVENTS, since);
  }

  #state(piece: number): number {
    return Atomics.load(this.#control, HEADER_INTS + (piece % this.slots) * SLOT_INTS + STATE);
  }

  #slot(slot: number, field: number): number {
    return this.#control[HEADER_INTS + slot * SLOT_INTS + field] ?? 0;
  }

  #setSlot(slot: number, field: number, value: number): void {
    this.#control[HEADER_INTS + slot * SLOT_INTS + field] = value;
  }

  #wakeThreads(): void {
    Atomics.add(this.#control, EVENTS, 1);
    Atomics.notify(this.#control, EVENTS);
  }

  #progressed(): void {
    Atomics.add(this.#control, PROGRESS, 1);
    Atomics.notify(this.#control, PROGRESS);
  }
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError("the ring has no such place");
  return found;
}
