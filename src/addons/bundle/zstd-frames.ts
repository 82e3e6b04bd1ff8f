import type { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { bundleFormat, cut, littleEndian } from "./bundle-format.ts";
import { tooLarge, unsafe } from "./tar-header.ts";

/** Reads `length` bytes at `position`; fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Uint8Array;

/** One frame of a file, and how many bytes it says that it unpacks to; null when it does not say. */
export type ZstdFrame = { readonly at: number; readonly length: number; readonly content: number | null };

/** Frames that are decoded by themselves have this many bytes, but for the last; ours have one MiB. */
const STRETCH_UNIT = 65_536;
const MOST_STRETCH = 4_194_304;
/** Bytes of such a frame as it lies there, which is read whole: honest ones are hardly longer than what is in them. */
const MOST_PACKED = 2 * MOST_STRETCH;
/** Headers that are walked, each of at least three bytes: whoever flushes after every line makes far fewer. */
const MOST_BLOCKS = 4_194_304;
/** Headers that lie close together are read together, others each by themselves. */
const CLOSE_BYTES = 4_096;
const WINDOW_BYTES = 65_536;

/**
 * The frames of a zstd file (RFC 8878 §3.1.1), found by their block headers, because the decoder takes a cut-off file
 * for a whole one. Either one frame, to the last byte, or frames of equal stretches, which all say how long they are
 * and of which only the last is shorter: other readers see the same bytes. Nothing of it is decoded, and all of it
 * keeps within the memory that we give it. Throws Failure.
 */
export function zstdFrames(read: ReadAt, size: number, mostBytes: number): readonly ZstdFrame[] {
  const walk = new BlockWalk(read);
  const first = walkFrame(read, walk, 0, size);
  const frames = [first];
  const stretch = first.content ?? 0;
  let total = stretch;
  let end = first.length;
  if (end < size && (stretch % STRETCH_UNIT !== 0 || stretch === 0 || stretch > MOST_STRETCH))
    throw unequal(size - end);
  for (let before = stretch; end < size;) {
    if (before !== stretch || bundleFormat(read(end, 4)) !== "zstd") throw unequal(size - end);
    const frame = walkFrame(read, walk, end, size);
    before = frame.content ?? 0;
    if (before === 0 || before > stretch) throw unequal(size - end);
    total += before;
    if (total > mostBytes) throw tooLarge(`it unpacks to more than ${mostBytes} bytes`);
    frames.push(frame);
    end += frame.length;
  }
  if (frames.length > 1) frames.forEach(checkPacked);
  return frames;
}

/** The block headers of a file, one after another. */
class BlockWalk {
  readonly #read: ReadAt;
  #window: Uint8Array = new Uint8Array();
  #start = 0;
  #last = 0;
  #blocks = 0;

  constructor(read: ReadAt) {
    this.#read = read;
  }

  /** The three bytes of the header that begins there, as a number. Throws Failure. */
  headerAt(at: number): number {
    this.#blocks++;
    if (this.#blocks > MOST_BLOCKS) throw tooLarge(`it has more than ${MOST_BLOCKS} blocks`);
    if (at < this.#start || at + 3 > this.#start + this.#window.length) {
      this.#window = this.#read(at, at - this.#last < CLOSE_BYTES ? WINDOW_BYTES : 3);
      this.#start = at;
    }
    this.#last = at;
    if (at + 3 > this.#start + this.#window.length) throw cut();
    return littleEndian(this.#window, at - this.#start, 3);
  }
}

function walkFrame(read: ReadAt, walk: BlockWalk, start: number, size: number): ZstdFrame {
  const head = read(start, 18);
  const descriptor = head[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if ((descriptor & 8) !== 0 || dictionary !== 0) throw unsafe("its zstd frame wants what is not known here");
  const sizeAt = single ? 5 : 6;
  // A size of two bytes counts from 256.
  const content =
    contentSize === 0 ? null : littleEndian(head, sizeAt, contentSize) + (contentSize === 2 ? 256 : 0);
  checkWindow(single ? (content ?? 0) : windowOf(head[5] ?? 0));
  let at = start + sizeAt + contentSize;
  for (let last = false; !last;) {
    const header = walk.headerAt(at);
    last = (header & 1) === 1;
    const kind = (header >> 1) & 3;
    if (kind === 3) throw unsafe("its zstd frame has a block of a reserved kind");
    // A run of one byte is stored as that byte.
    at += 3 + (kind === 1 ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > size) throw cut();
  return { at: start, length: at - start, content };
}

function unequal(bytes: number): Failure {
  return unsafe(
    `${bytes} bytes follow its zstd frame; wanted one frame and nothing else, or frames of equal stretches`,
  );
}

function checkPacked({ length }: ZstdFrame): void {
  if (length <= MOST_PACKED) return;
  throw tooLarge(`one of its zstd frames has ${length} bytes; at most ${MOST_PACKED} are read at once`);
}

function checkWindow(bytes: number): void {
  if (bytes <= LIMITS.zstdWindowBytes) return;
  throw tooLarge(
    `its zstd frame wants ${bytes} bytes of memory; at most ${LIMITS.zstdWindowBytes} are given`,
  );
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}
