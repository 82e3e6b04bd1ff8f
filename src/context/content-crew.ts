import { compileSooner, keepMethodsFromLastCompiler } from "../host/compiler.ts";
import { CORES, Thread } from "../host/threads.ts";
import type { BytePath } from "./byte-path.ts";
import { ContentBatch } from "./content-batch.ts";
import type { ContextFolder } from "./context-folder.ts";
import { ContentHashing, type LongReading } from "./content-hashing.ts";
import type { ObjectFormat } from "./contents.ts";
import type { ContentMessage } from "./content-worker.ts";
import { ContentFailure } from "./opened-file.ts";
import type { TreeItem } from "./tree-digests.ts";
import type { Turns } from "./turns.ts";

const FILES_IN_BATCH = 256;
/** Starting a thread costs about as much as reading this many files. */
const FILES_FOR_THREAD = 600;
/** To look at the clock takes a fiftieth of the time of a small file. */
const FILES_BETWEEN_LOOKS = 8;
/** On a cold disk more threads than cores help: each waits for a block of its own. */
const THREADS_ON_COLD_DISK = 8;
/** Blocks of 512 bytes that the disk had to bring, from which on it counts as cold. */
const COLD_BLOCKS = 4096;
/**
 * The system is asked for them no more often: the answer takes half a millisecond, and they are asked for all along.
 */
const BLOCKS_ASKED_MS = 40;

/**
 * Reads files while the caller still lists them: one thread for each further core takes batches from the front, and
 * this thread joins in from the end when the list is complete. Files are known by the number that `add` gave them.
 */
export class ContentCrew {
  readonly #folder: ContextFolder;
  readonly #turns: Turns;
  /** Both come with `begin`. */
  #format: ObjectFormat | null = null;
  #hashing: ContentHashing | null = null;
  readonly #cancelled = new SharedArrayBuffer(4);
  readonly #threads: Thread[] = [];
  /** In the order of the files. */
  readonly #batches: ContentBatch[] = [];
  readonly #offered: ContentBatch[] = [];
  readonly #blocksAtStart = blocksRead();
  #blocksAskedAt = performance.now();
  #isCold = false;
  /** How many files were added. */
  count = 0;
  #names: BytePath[] = [];

  constructor(folder: ContextFolder, turns: Turns) {
    this.#folder = folder;
    this.#turns = turns;
  }

  /** Says which blob ids are wanted; from then on files are read, and until then only counted. */
  begin(format: ObjectFormat | null): void {
    this.#format = format;
    this.#hashing = new ContentHashing(this.#folder, format);
    this.#staff(this.count / FILES_FOR_THREAD);
  }

  /** A file to read, by its path below the root or its absolute one. */
  add(name: BytePath): number {
    this.#names.push(name);
    if (this.#names.length === FILES_IN_BATCH) {
      this.#flush();
      if (this.#batches.length === 1) compileSooner();
    }
    return this.count++;
  }

  /** Reads what is left; after `begin`. Then `item` and `failures` know every file. */
  async finish(): Promise<void> {
    if (this.#hashing === null) throw new Error("the reading has not begun");
    this.#flush();
    for (const batch of this.#batches.toReversed()) await this.#join(batch);
    await this.#othersDone();
    await this.#readLarge();
  }

  /** Of a file that did not fail. */
  item(path: BytePath, index: number): TreeItem {
    const { batch, at } = this.#find(index);
    return batch.records.item(path, at, this.#format);
  }

  /** The bytes of each of the first files, which did not fail. */
  *sizes(count: number): Generator<Float64Array> {
    for (let first = 0; first < count; first += FILES_IN_BATCH) {
      yield this.#find(first).batch.records.sizes(Math.min(FILES_IN_BATCH, count - first));
    }
  }

  /**
   * The lines of the tree hash, in pieces, for the files from
   * one number to before another. None of them may have failed.
   */
  *lines(from: number, to: number): Generator<Uint8Array> {
    for (let index = from; index < to;) {
      const { batch, at } = this.#find(index);
      const end = Math.min(batch.records.count, at + to - index);
      yield batch.lines(at, end);
      index += end - at;
    }
  }

  /** The files that could not be read, and why. */
  *failures(): Generator<{ readonly path: BytePath; readonly failure: ContentFailure }> {
    for (const batch of this.#batches) {
      for (const index of batch.records.notDone()) {
        const failure = batch.records.outcome(index);
        if (!(failure instanceof ContentFailure)) throw new Error("a large file was not read");
        yield { path: batch.name(index), failure };
      }
    }
  }

  /** Ends the threads, whatever they are doing. */
  dispose(): void {
    Atomics.store(new Int32Array(this.#cancelled), 0, 1);
    for (const thread of this.#threads) thread.end();
  }

  #flush(): void {
    if (this.#names.length === 0) return;
    const batch = ContentBatch.of(this.#names, false);
    this.#names = [];
    this.#batches.push(batch);
    this.#offer(batch);
    if (this.#batches.length % 4 === 3) this.#staff(this.count / FILES_FOR_THREAD);
  }

  #offer(batch: ContentBatch): void {
    this.#offered.push(batch);
    for (const thread of this.#threads) tell(thread, { kind: "batch", memory: batch.memory });
  }

  /** Starts as many further threads as there are cores, as the disk can use and as `useful` says. */
  #staff(useful: number): void {
    if (this.#hashing === null) return;
    const most = Math.min(useful, Math.max(CORES, this.#onColdDisk() ? THREADS_ON_COLD_DISK : 0) - 1);
    while (this.#threads.length + 1 <= most) {
      const thread = new Thread("context/content-worker");
      this.#threads.push(thread);
      tell(thread, {
        kind: "begin",
        root: this.#folder.root,
        format: this.#format,
        cancelled: this.#cancelled,
      });
      for (const batch of this.#offered) {
        if (!batch.isClaimed()) tell(thread, { kind: "batch", memory: batch.memory });
      }
    }
  }

  #onColdDisk(): boolean {
    const now = performance.now();
    if (this.#isCold || now - this.#blocksAskedAt < BLOCKS_ASKED_MS) return this.#isCold;
    this.#blocksAskedAt = now;
    this.#isCold = blocksRead() - this.#blocksAtStart > COLD_BLOCKS;
    return this.#isCold;
  }

  async #join(batch: ContentBatch): Promise<void> {
    if (!batch.claim()) return;
    let next = 0;
    while (next < batch.records.count) {
      const { read, long } = this.readSome(batch, next);
      next = read;
      try {
        while (long?.step() === false) if (this.#turns.due()) await this.#turns.take();
      } finally {
        long?.close();
      }
      if (this.#turns.due()) await this.#turns.take();
    }
    this.#staff(this.count / FILES_FOR_THREAD);
  }

  /** Reads on until it is time for a turn, or until a file takes several steps. */
  readSome(batch: ContentBatch, from: number): { read: number; long: LongReading | null } {
    let read = from;
    for (; read < batch.records.count; read++) {
      if (read % FILES_BETWEEN_LOOKS === 0 && this.#turns.due()) break;
      const long = this.#hashing?.begin(batch, read) ?? null;
      if (long !== null) return { read: read + 1, long };
    }
    return { read, long: null };
  }

  async #othersDone(): Promise<void> {
    await Promise.all(
      this.#threads.map(async (thread) => thread.ask<"done">({ kind: "end" } satisfies ContentMessage)),
    );
  }

  /** One file to a batch and the largest first, so that no thread begins a large one when the others have ended. */
  async #readLarge(): Promise<void> {
    const files = this.#batches
      .flatMap((batch) =>
        batch.records.deferred().map((index) => ({ batch, index, size: batch.records.size(index) })),
      )
      .sort((a, b) => b.size - a.size);
    const alone = files.map(({ batch, index }) => ContentBatch.of([batch.name(index)], true));
    this.#staff(alone.length - 1);
    for (const batch of alone) this.#offer(batch);
    for (const batch of alone) await this.#join(batch);
    if (alone.length > 0) await this.#othersDone();
    for (const [at, { batch, index }] of files.entries()) {
      const found = alone[at];
      if (found !== undefined) batch.records.copyFrom(found.records, 0, index);
    }
  }

  #find(index: number): { batch: ContentBatch; at: number } {
    const batch = this.#batches[Math.floor(index / FILES_IN_BATCH)];
    if (batch === undefined) throw new RangeError("there is no file of that number");
    return { batch, at: index % FILES_IN_BATCH };
  }
}

function tell(thread: Thread, message: ContentMessage): void {
  thread.tell(message);
}

function blocksRead(): number {
  return process.resourceUsage().fsRead;
}

keepMethodsFromLastCompiler(ContentCrew, "readSome");
