import type { ContentBatch } from "./content-batch.ts";
import type { ContextFolder } from "./context-folder.ts";
import { keepFromLastCompiler, keepMethodsFromLastCompiler } from "../host/compiler.ts";
import { KernelMemory } from "../host/kernel.ts";
import type { ContentRecords } from "./content-records.ts";
import { blobWords, type ObjectFormat } from "./contents.ts";
import { ContentFailure, type OpenedFile } from "./opened-file.ts";

const BUFFER_BYTES = 262_144;

/** Larger files come last, one to a claim: else one thread could end with a large file while the others stand idle. */
const LARGE_BYTES = 4_194_304;

/** Reads and hashes files in one thread, with one buffer. The results go to the records. */
export class ContentHashing {
  readonly #folder: ContextFolder;
  readonly #format: ObjectFormat | null;
  readonly #memory = new KernelMemory(BUFFER_BYTES);
  readonly #buffer = this.#memory.bytes;

  constructor(folder: ContextFolder, format: ObjectFormat | null) {
    this.#folder = folder;
    this.#format = format;
  }

  /**
   * Hashes a small file and gives null; gives what is left to do of a larger one. Where the batch is not of large ones,
   * such a file is recorded as deferred. A ContentFailure is recorded, too.
   */
  begin(batch: ContentBatch, index: number): LongReading | null {
    const { records } = batch;
    const name = batch.placeOfName(index);
    const length = name === null ? null : this.#folder.readSmall(name, this.#memory);
    if (length !== null) {
      hashContent(this.#buffer.subarray(0, length), this.#format, records, index);
      records.done(index, length, this.#folder.isExecutable);
      return null;
    }
    try {
      const file = this.#folder.open(batch.name(index));
      if (file.size >= BUFFER_BYTES && (batch.large || file.size <= LARGE_BYTES)) {
        return new LongReading(file, this.#format, this.#buffer, records, index);
      }
      try {
        if (file.size < BUFFER_BYTES) this.#readWhole(file, records, index);
        else records.defer(index, file.size);
      } finally {
        file.close();
      }
    } catch (error) {
      recordFailure(error, records, index);
    }
    return null;
  }

  #readWhole(file: OpenedFile, records: ContentRecords, index: number): void {
    let length = 0;
    // More room than the file has bytes: so one read gets them all and would see one too many.
    do {
      const read = file.read(this.#buffer, length, BUFFER_BYTES - length);
      if (read === 0) break;
      length += read;
    } while (length < file.size);
    file.finish();
    hashContent(this.#buffer.subarray(0, length), this.#format, records, index);
    records.done(index, file.size, file.executable);
  }
}

/** A file that is read in several steps, so that its reader can do something else in between. */
export class LongReading {
  readonly #file: OpenedFile;
  readonly #hashing: IncrementalDigests;
  readonly #buffer: Buffer;
  readonly #records: ContentRecords;
  readonly #index: number;

  constructor(
    file: OpenedFile,
    format: ObjectFormat | null,
    buffer: Buffer,
    records: ContentRecords,
    index: number,
  ) {
    this.#file = file;
    this.#hashing = new IncrementalDigests(format, file.size);
    this.#buffer = buffer;
    this.#records = records;
    this.#index = index;
  }

  /** Reads on; true once the file is recorded. `close` must follow, also when nobody wants the rest. */
  step(): boolean {
    try {
      const read = this.#file.read(this.#buffer, 0, BUFFER_BYTES);
      if (read > 0) {
        this.#hashing.update(this.#buffer.subarray(0, read));
        return false;
      }
      this.#file.finish();
      this.#hashing.end(this.#records, this.#index);
      this.#records.done(this.#index, this.#file.size, this.#file.executable);
    } catch (error) {
      recordFailure(error, this.#records, this.#index);
    }
    return true;
  }

  close(): void {
    this.#file.close();
  }
}

/** Both digests of a content that comes in pieces. */
export class IncrementalDigests {
  readonly #sha256 = new Bun.CryptoHasher("sha256");
  readonly #blob: Bun.CryptoHasher | null;
  readonly #format: ObjectFormat | null;

  constructor(format: ObjectFormat | null, size: number) {
    this.#format = format;
    this.#blob = format === null ? null : new Bun.CryptoHasher(format).update(blobWords(size));
  }

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    this.#blob?.update(bytes);
  }

  end(records: ContentRecords, index: number): void {
    records.setSha256(index, this.#sha256.digest("hex"));
    if (this.#format !== null && this.#blob !== null) {
      records.blobSlot(index, this.#format).set(this.#blob.digest());
    }
  }
}

function recordFailure(error: unknown, records: ContentRecords, index: number): void {
  if (!(error instanceof ContentFailure)) throw error;
  records.fail(index, error);
}

/** Both digests of a content that is here as a whole. */
export function hashContent(
  bytes: Uint8Array,
  format: ObjectFormat | null,
  records: ContentRecords,
  index: number,
): void {
  records.setSha256(index, Bun.SHA256.hash(bytes, "hex"));
  if (format === null) return;
  // The same engine without a name to look up.
  const hasher = format === "sha1" ? new Bun.SHA1() : new Bun.SHA256();
  hasher.update(blobWords(bytes.length)).update(bytes).digest(records.blobSlot(index, format));
}

keepMethodsFromLastCompiler(ContentHashing, "begin");
keepFromLastCompiler(hashContent);
