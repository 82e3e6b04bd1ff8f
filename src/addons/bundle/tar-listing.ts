import { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { BLOCK_BYTES, checkNotes, readTarHeader, tooLarge, unsafe } from "./tar-header.ts";

/** A file of a bundle that was approved before one byte of it was handed out. */
export type ApprovedFile = { readonly name: string; readonly size: number };

/** Who gets the approved bytes. Nobody changes a piece later. */
export type BundleSink = {
  readonly begin: (file: ApprovedFile) => void;
  readonly piece: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /**
   * Told of a chunk of which no piece comes any more, and which
   * it is to give back; absent for one that keeps nothing.
   */
  readonly over?: (chunk: Uint8Array) => void;
  /** Resolves when more may come; absent for one that keeps nothing. */
  readonly drain?: () => Promise<void>;
};

type State = "header" | "file" | "padding" | "notes" | "end";

/**
 * Lists an archive as its bytes come, and judges every entry before its content reaches the sink. What only the
 * whole list can tell (a missing program, a missing end) is judged by `finish`: until then nothing that the sink
 * made may get a name that others see. Every method throws Failure `tarball_unsafe`, `tarball_too_large` or
 * `tarball_binary_missing`.
 */
export class TarListing {
  readonly #sink: BundleSink;
  readonly #binaryName: string;
  readonly #files: ApprovedFile[] = [];
  readonly #names = new Set<string>();
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  #state: State = "header";
  /** Bytes of the current file, its padding or its notes that are still to come. */
  #left = 0;
  /** Bytes that follow the current file or its notes. */
  #padding = 0;
  #notes: Uint8Array[] = [];
  #total = 0;
  #zeroBlocks = 0;
  #trailing = 0;

  constructor(binaryName: string, sink: BundleSink) {
    this.#binaryName = binaryName;
    this.#sink = sink;
  }

  /** The next bytes of the archive, in pieces of any length. */
  update(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(this.#take(rest));
  }

  /** Every file of the archive, in its order. Call it when all bytes came. */
  finish(): readonly ApprovedFile[] {
    if (this.#state !== "end") {
      const inside = this.#files.at(-1)?.name;
      const where = inside === undefined ? "at its start" : `after or within ${quoted(inside)}`;
      throw unsafe(`it ends ${where}, without the two blocks of zeros that end an archive`);
    }
    if (this.#filled > 0) throw unsafe("it ends within a block");
    if (this.#files.some(({ name }) => name === this.#binaryName)) return this.#files;
    throw new Failure("tarball_binary_missing", `the bundle has no file ${quoted(this.#binaryName)}`, {
      hint: `it has: ${this.#files.map(({ name }) => name).join(", ") || "nothing"}`,
    });
  }

  /** How many bytes of `bytes` were used up: at least one. */
  #take(bytes: Uint8Array): number {
    if (this.#state === "file" || this.#state === "padding" || this.#state === "notes") {
      const piece = bytes.subarray(0, this.#left);
      this.#left -= piece.length;
      if (this.#state === "file") this.#sink.piece(piece);
      else if (this.#state === "notes") this.#notes.push(piece.slice());
      else if (piece.some((byte) => byte !== 0)) throw unsafe("the padding of a file is not zero");
      if (this.#left === 0) this.#leave();
      return piece.length;
    }
    const used = Math.min(bytes.length, BLOCK_BYTES - this.#filled);
    this.#block.set(bytes.subarray(0, used), this.#filled);
    this.#filled += used;
    if (this.#filled === BLOCK_BYTES) {
      this.#filled = 0;
      this.#judge();
    }
    return used;
  }

  #judge(): void {
    if (this.#state === "end") {
      this.#trailing += BLOCK_BYTES;
      if (this.#block.some((byte) => byte !== 0)) throw unsafe("something follows its end");
      if (this.#trailing > LIMITS.bundlePaddingBytes) {
        throw tooLarge(`more than ${LIMITS.bundlePaddingBytes} bytes of padding follow its end`);
      }
      return;
    }
    const header = readTarHeader(this.#block);
    if (header.kind === "zeros") {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#state = "end";
      return;
    }
    if (this.#zeroBlocks > 0) throw unsafe("a file follows a block of zeros");
    if (header.kind === "notes") {
      this.#enter("notes", header.size);
      return;
    }
    this.#admit(header);
    this.#sink.begin(header);
    this.#enter("file", header.size);
  }

  #admit(file: ApprovedFile): void {
    // Lower case: on some file systems names that differ only in case are one file.
    const key = file.name.toLowerCase();
    if (this.#names.has(key)) throw unsafe(`${quoted(file.name)} is there twice`);
    this.#names.add(key);
    this.#files.push({ name: file.name, size: file.size });
    if (this.#files.length > LIMITS.bundleEntries) {
      throw tooLarge(`it has more than ${LIMITS.bundleEntries} files`);
    }
    this.#total += file.size;
    if (this.#total > LIMITS.bundleBytes) {
      throw tooLarge(`its files have more than ${LIMITS.bundleBytes} bytes`);
    }
  }

  #enter(state: "file" | "notes", size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    if (size === 0) this.#leave();
  }

  /** From a file or notes to their padding, and from there to the next header. */
  #leave(): void {
    if (this.#state === "file") this.#sink.end();
    if (this.#state === "notes") {
      checkNotes(new Uint8Array(Buffer.concat(this.#notes)));
      this.#notes = [];
    }
    const padding = this.#state === "padding" ? 0 : this.#padding;
    this.#state = padding > 0 ? "padding" : "header";
    this.#left = padding;
  }
}
