import { basename } from "node:path";
import type { Sha256 } from "../base/digest.ts";
import { compileSooner } from "../host/compiler.ts";
import { newHeldFile, type HeldFile } from "../host/held-file.ts";
import { KernelMemory } from "../host/kernel.ts";
import { compress, PIECE_BYTES, PieceDigests } from "./archive-pieces.ts";
import { ArchiveRing } from "./archive-ring.ts";
import { ArchiveThreads, ringSlots, written } from "./archive-threads.ts";
import { bytePathFromText, type BytePath } from "./byte-path.ts";
import type { ContextFolder } from "./context-folder.ts";
import { ContentBatch } from "./content-batch.ts";
import { ContentHashing } from "./content-hashing.ts";
import type { ObjectFormat } from "./contents.ts";
import { GrowingRecords } from "./growing-records.ts";
import { ContentFailure } from "./opened-file.ts";
import { NO_FILE } from "./piece-segments.ts";
import { archiveEnd, BLOCK, contentPadding, TarHeaders, type TarMember } from "./tar.ts";
import type { TreeItem } from "./tree-digests.ts";
import type { Turns } from "./turns.ts";

export type Compression = "none" | "gzip" | "zstd";

/** The compression that a file name asks for, or null when the name is none of an archive's. */
export function compressionOf(path: string): Compression | null {
  if (path.endsWith(".tar")) return "none";
  if (path.endsWith(".tar.gz") || path.endsWith(".tgz")) return "gzip";
  return path.endsWith(".tar.zst") ? "zstd" : null;
}

export type ArchiveTarget = {
  readonly path: string;
  readonly compression: Compression;
  /** Seconds that stand in every member. */
  readonly mtime: number;
  /** True when nobody asks for the digest of the tar, whose bytes then are not hashed a second time. */
  readonly undigested?: boolean;
};

export type WrittenArchive = {
  /** Of the uncompressed tar; null when it is not asked for. */
  readonly tarSha256: Sha256 | null;
  readonly tarBytes: number;
};

/**
 * Writes one archive beside its final name. Files are read straight into the archive's pieces, and the same bytes are
 * hashed there: each file, and the uncompressed tar, whose digest is the archive's identity, because compressed bytes
 * depend on the compressor's version. What does not fit in one piece is hashed and packed by threads beside this one.
 * Every method throws Failure `output_not_written`.
 */
export class ArchiveWriter {
  readonly #folder: ContextFolder;
  readonly #target: ArchiveTarget;
  readonly #turns: Turns;
  readonly #held: HeldFile;
  readonly #temporaryName: BytePath;
  readonly #headers: TarHeaders;
  readonly #pieceBytes: number;
  readonly #ring: ArchiveRing;
  readonly #records = new GrowingRecords();
  readonly #format: ObjectFormat | null;
  /** The places of the ring, for the kernel to read into. */
  readonly #rooms: readonly KernelMemory[];
  #threads: ArchiveThreads | null = null;
  /** The piece that is being filled, its room and how much of it is taken. */
  #number = 0;
  #room: KernelMemory;
  #filled = 0;

  constructor(folder: ContextFolder, target: ArchiveTarget, format: ObjectFormat | null, turns: Turns) {
    this.#folder = folder;
    this.#target = target;
    this.#turns = turns;
    this.#format = format;
    this.#headers = new TarHeaders(target.mtime);
    this.#pieceBytes = PIECE_BYTES[target.compression];
    this.#ring = ArchiveRing.of(
      ringSlots(target.compression),
      this.#pieceBytes,
      target.compression !== "none",
    );
    this.#rooms = this.#ring.memory.pieces.map((piece) => new KernelMemory(Buffer.from(piece)));
    this.#room = this.#roomOf(0);
    this.#held = written(target.path, () => newHeldFile(target.path, 0o644));
    this.#temporaryName = bytePathFromText(basename(this.#held.file.temporary));
  }

  async add(member: Exclude<TarMember, { kind: "file" }>): Promise<void> {
    const blocks = this.#headers.blocks(member);
    if (!this.#fits(blocks.length)) return this.#put(blocks);
    this.#append(blocks);
  }

  /**
   * Adds a file that nobody disturbs and for which there is room in the piece; false when `addFile` must do it. It is
   * read to where its content stands, behind a header that is written when its size is known.
   */
  addSmall(number: number, path: BytePath): boolean {
    const header = this.#headers.roomFor(path);
    const at = this.#filled + header;
    if (at >= this.#pieceBytes) return false;
    const size = this.#folder.readSmall(path, this.#room, at);
    if (size === null) return false;
    const end = at + Math.ceil(size / BLOCK) * BLOCK;
    if (end >= this.#pieceBytes) return false;
    const executable = this.#folder.isExecutable;
    this.#headers.write(this.#room.bytes, this.#filled, header, path, size, executable);
    this.#ring.segments(this.#number).addWhole(at, number, size, executable);
    // The place may have held another piece before.
    this.#room.bytes.fill(0, at + size, end);
    this.#filled = end;
    return true;
  }

  /** Whether a file of the context is the one that is being written: its folder lies in there by another way. */
  isItself(path: BytePath): boolean {
    return path.endsWith(this.#temporaryName);
  }

  /** Reads a file into its member; without a number it is in the archive alone. Throws ContentFailure. */
  async addFile(number: number | null, from: BytePath, path: TarMember["path"]): Promise<void> {
    const file = this.#folder.open(from);
    try {
      const { size, executable } = file;
      await this.#put(this.#headers.blocks({ kind: "file", path, size, executable }));
      let left = size;
      do {
        // One byte of room more than there should be shows a file that has grown.
        const room = Math.min(left + 1, this.#pieceBytes - this.#filled);
        const length = file.read(this.#room.bytes, this.#filled, room);
        const segment = { at: this.#filled, length, first: left === size, last: left === length };
        this.#ring.segments(this.#number).add(segment, { number: number ?? NO_FILE, size, executable });
        this.#filled += length;
        left -= length;
        if (length === 0) break;
        if (this.#filled === this.#pieceBytes) await this.#next();
        else if (this.#turns.due()) await this.#turns.take();
      } while (left > 0);
      file.finish();
      await this.#put(contentPadding(size));
    } finally {
      file.close();
    }
  }

  /** Reads a file of the tree that has no place in the archive. Throws ContentFailure. */
  async readBeside(number: number, path: BytePath): Promise<void> {
    const batch = ContentBatch.of([path], true);
    const reading = new ContentHashing(this.#folder, this.#format).begin(batch, 0);
    try {
      while (reading?.step() === false) if (this.#turns.due()) await this.#turns.take();
    } finally {
      reading?.close();
    }
    const outcome = batch.records.outcome(0);
    if (outcome instanceof ContentFailure) throw outcome;
    this.#records.take(number, batch.records, 0);
  }

  /** Ends the archive and gives it its name. */
  async commit(): Promise<WrittenArchive> {
    const tarBytes = this.#number * this.#pieceBytes + this.#filled;
    const end = archiveEnd(tarBytes);
    await this.#put(end);
    const tarSha256 = this.#threads === null ? this.#packAlone() : await this.#packTogether(this.#threads);
    written(this.#target.path, () => this.#held.file.commit());
    return { tarSha256, tarBytes: tarBytes + end.length };
  }

  /** The bytes of each of the first files that were added. */
  sizes(count: number): Iterable<Float64Array> {
    return this.#records.sizes(count);
  }

  /** Of a file that was added; after `commit`. */
  item(path: BytePath, number: number): TreeItem {
    return this.#records.item(path, number, this.#format);
  }

  /** Ends what goes on beside and removes what was written; to be called once, also after `commit`. */
  async discard(): Promise<void> {
    await this.#threads?.stop();
    this.#held.file.discard();
    this.#held.release();
  }

  /** Whether the piece has room for so many bytes and is not full then. */
  #fits(bytes: number): boolean {
    return this.#filled + bytes < this.#pieceBytes;
  }

  #append(bytes: Uint8Array): void {
    this.#room.bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const taken = Math.min(bytes.length - done, this.#pieceBytes - this.#filled);
      this.#room.bytes.set(taken === bytes.length ? bytes : bytes.subarray(done, done + taken), this.#filled);
      this.#filled += taken;
      done += taken;
      if (this.#filled === this.#pieceBytes) await this.#next();
    }
  }

  /** Hands a full piece on; the first one shows that the archive is worth other threads. */
  async #next(): Promise<void> {
    this.#threads ??= this.#startThreads();
    this.#ring.publish(this.#number, this.#filled);
    this.#number++;
    this.#filled = 0;
    await this.#threads.untilFree(this.#number);
    this.#room = this.#roomOf(this.#number);
  }

  #startThreads(): ArchiveThreads {
    // From here on the same is done often enough to be worth compiling (see scripts/compile).
    compileSooner();
    return new ArchiveThreads({
      ring: this.#ring,
      target: this.#target,
      file: this.#held.file,
      digests: { format: this.#format, tar: this.#target.undigested !== true },
      turns: this.#turns,
      onThrough: (piece) => this.#takeRecords(piece),
    });
  }

  #roomOf(piece: number): KernelMemory {
    const room = this.#rooms[piece % this.#rooms.length];
    if (room === undefined) throw new RangeError("the ring has no such place");
    return room;
  }

  #takeRecords(piece: number): void {
    const segments = this.#ring.segments(piece);
    for (let index = 0; index < segments.count; index++) {
      const file = segments.fileEndingIn(index);
      if (file !== NO_FILE) this.#records.take(file, segments.records, index);
    }
  }

  #packAlone(): Sha256 | null {
    const { path, compression, undigested } = this.#target;
    this.#ring.publish(0, this.#filled);
    const digests = new PieceDigests(this.#format, undigested !== true);
    digests.add(this.#ring, 0);
    this.#takeRecords(0);
    const piece = this.#ring.content(0);
    written(path, () => this.#held.file.write(compression === "none" ? piece : compress(piece, compression)));
    return digests.tarSha256();
  }

  async #packTogether(threads: ArchiveThreads): Promise<Sha256 | null> {
    if (this.#filled > 0) this.#ring.publish(this.#number++, this.#filled);
    return threads.finish(this.#number);
  }
}
