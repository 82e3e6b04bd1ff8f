import { crc32, createInflateRaw, createZstdDecompress } from "node:zlib";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { readAt, readInto } from "../../host/files.ts";
import {
  cut,
  GZIP_HEADER_BYTES,
  GZIP_TRAILER_BYTES,
  gzipHeaderLength,
  type BundleFormat,
} from "./bundle-format.ts";
import { tooLarge, unsafe } from "./tar-header.ts";
import { zstdFrames, type ZstdFrame } from "./zstd-frames.ts";
import { TarListing, type ApprovedFile, type BundleSink } from "./tar-listing.ts";

const READ_BYTES = 1_048_576;
const UNPACKED_BYTES = 1_048_576;
/** Chunks that the decoder may be ahead of the writing, which goes on beside it. */
const AHEAD_CHUNKS = 4;
/** Frames on their way at once: two threads have work, and a few MiB are held. */
const AHEAD_FRAMES = 3;
const DECODER_OPTIONS = { chunkSize: UNPACKED_BYTES };
/** Everything that an approved archive can hold: files, headers and notes for each, padding. */
const MOST_BYTES = LIMITS.bundleBytes + LIMITS.bundleEntries * 131_072 + 2 * LIMITS.bundlePaddingBytes;

/** A bundle whose bytes were verified, open. */
export type OpenBundle = {
  readonly descriptor: number;
  /** Bytes of the file. */
  readonly size: number;
  readonly format: BundleFormat;
  /** The file that has to be in it. */
  readonly binaryName: string;
};

/**
 * Unpacks a bundle once, in constant memory: every entry is listed and judged before its bytes reach `sink`.
 * Returns all files when the archive was approved to its last byte. Throws Failure `tarball_unsafe`,
 * `tarball_too_large` or `tarball_binary_missing`; what `sink` made is then to be thrown away.
 */
export async function readBundle(
  bundle: OpenBundle,
  sink: BundleSink,
  stop: AbortSignal,
): Promise<readonly ApprovedFile[]> {
  const listing = new TarListing(bundle.binaryName, sink);
  let length = 0;
  const { chunks, areWhole } = unpacked(bundle);
  for await (const chunk of chunks) {
    throwIfStopped(stop, "unpacking a bundle");
    length += chunk.length;
    if (length > MOST_BYTES) throw tooLarge(`it unpacks to more than ${MOST_BYTES} bytes`);
    listing.update(chunk);
    if (areWhole) (sink.over ?? giveBack)(chunk);
    await sink.drain?.();
  }
  return listing.finish();
}

/** `areWhole`: each chunk is all of its memory, which nobody else needs. */
type Chunks = { readonly chunks: AsyncGenerator<Uint8Array>; readonly areWhole: boolean };

function unpacked(bundle: OpenBundle): Chunks {
  const { descriptor, size, format } = bundle;
  if (format === "gzip") return { chunks: inflated(bundle), areWhole: false };
  const read = (position: number, length: number): Uint8Array => readAt(descriptor, position, length);
  const frames = zstdFrames(read, size, MOST_BYTES);
  return frames.length > 1
    ? { chunks: decodedApart(descriptor, frames), areWhole: true }
    : { chunks: through(createZstdDecompress(DECODER_OPTIONS), descriptor, 0, size), areWhole: false };
}

/** Frees the memory of a chunk now: the collector sees a small object in it, and would let hundreds of them pile up. */
export function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * One gzip member and nothing else. The runtime's own gunzip joins members and skips garbage, others read the first
 * alone: so the frame is read here, and only the deflate stream by the runtime.
 */
async function* inflated({ descriptor, size }: OpenBundle): AsyncGenerator<Uint8Array> {
  const start = gzipHeaderLength(readAt(descriptor, 0, Math.min(size, GZIP_HEADER_BYTES)));
  const end = size - GZIP_TRAILER_BYTES;
  if (end <= start) throw cut();
  const inflate = createInflateRaw(DECODER_OPTIONS);
  let [checksum, length] = [0, 0];
  for await (const chunk of through(inflate, descriptor, start, end)) {
    checksum = crc32(chunk, checksum);
    length += chunk.length;
    yield chunk;
  }
  if (inflate.bytesWritten !== end - start) {
    throw unsafe("something follows its gzip member; wanted one member and nothing else");
  }
  const trailer = readAt(descriptor, end, GZIP_TRAILER_BYTES);
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (view.getUint32(0, true) !== checksum || view.getUint32(4, true) !== length % 2 ** 32) {
    throw unsafe("its gzip checksum is wrong");
  }
}

/** Frames that need nothing of each other, some at a time, each in a thread of the runtime's; in their order. */
async function* decodedApart(descriptor: number, frames: readonly ZstdFrame[]): AsyncGenerator<Uint8Array> {
  const ahead: Promise<Uint8Array>[] = [];
  let begun = 0;
  const begin = (): void => {
    for (const frame of frames.slice(begun, begun + AHEAD_FRAMES - ahead.length)) {
      begun++;
      const decoding = decodedFrame(descriptor, frame);
      // Whoever stops taking them does not hear of those that are on their way.
      decoding.catch(() => {});
      ahead.push(decoding);
    }
  };
  begin();
  for (let decoding = ahead.shift(); decoding !== undefined; decoding = ahead.shift()) {
    const bytes = await decoding;
    begin();
    yield bytes;
  }
}

/** The decoder gets a frame alone, with a length that was counted against the ceilings, and refuses another one. */
async function decodedFrame(descriptor: number, { at, length, content }: ZstdFrame): Promise<Uint8Array> {
  const packed = readAt(descriptor, at, length);
  if (packed.length < length) throw cut();
  let bytes: Uint8Array;
  try {
    bytes = await Bun.zstdDecompress(packed);
  } catch (error) {
    throw undecodable(error);
  } finally {
    giveBack(packed);
  }
  if (bytes.length === content) return bytes;
  throw unsafe(`a zstd frame unpacks to ${bytes.length} bytes and says ${content}`);
}

type Decoder = ReturnType<typeof createInflateRaw> | ReturnType<typeof createZstdDecompress>;

/**
 * The bytes from `start` to `end` through a decoder, which works beside us while we write what it gave. Its chunks
 * are taken as events: its iterator would first copy all that is ready into one.
 */
async function* through(
  decoder: Decoder,
  descriptor: number,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  let [isOver, broken]: [boolean, unknown] = [false, null];
  let news = Promise.withResolvers<void>();
  const over = (error: unknown = null): void => {
    isOver = true;
    broken ??= error;
    news.resolve();
  };
  decoder.on("data", (chunk: Uint8Array) => {
    ready.push(chunk);
    if (ready.length >= AHEAD_CHUNKS) decoder.pause();
    news.resolve();
  });
  decoder.once("end", over);
  decoder.once("error", (error) => over(undecodable(error)));
  const feeding = feed(decoder, descriptor, start, end).catch(over);
  try {
    for (;;) {
      for (let chunk = ready.shift(); chunk !== undefined; chunk = ready.shift()) yield chunk;
      if (broken !== null) throw broken;
      if (isOver) return;
      news = Promise.withResolvers();
      decoder.resume();
      await news.promise;
    }
  } finally {
    decoder.destroy();
    await feeding;
  }
}

/** Reads the next bytes while the decoder works on the last ones; it has used them up when it asks for more. */
async function feed(decoder: Decoder, descriptor: number, start: number, end: number): Promise<void> {
  let [buffer, other] = [new Uint8Array(READ_BYTES), new Uint8Array(READ_BYTES)];
  let at = start;
  const read = (): Uint8Array => {
    const bytes = buffer.subarray(0, Math.min(READ_BYTES, end - at));
    if (readInto(descriptor, at, bytes) < bytes.length) throw cut();
    at += bytes.length;
    [buffer, other] = [other, buffer];
    return bytes;
  };
  for (let bytes = read(); bytes.length > 0 && !decoder.destroyed;) {
    const used = decode(decoder, bytes);
    bytes = read();
    await used;
  }
  if (!decoder.destroyed) decoder.end();
}

/** Resolves when `bytes` are used up, or nobody wants them any more. */
function decode(decoder: Decoder, bytes: Uint8Array): Promise<void> {
  // The callback of a write that the end of the stream overtook may never come; closing ends the waiting.
  return new Promise((resolve) => {
    decoder.once("close", resolve);
    decoder.write(bytes, () => {
      decoder.removeListener("close", resolve);
      resolve();
    });
  });
}

function undecodable(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return unsafe("its compressed data is damaged or cut off");
}
