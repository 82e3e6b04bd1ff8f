import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import { checkRoom } from "../host/disk-room.ts";
import { errorCode, readBounded, reason, writeAtomic } from "../host/files.ts";
import type { Resume, Validator } from "./store.ts";

/** A failure of this host's disk: no store is to blame for it, and none is asked again because of it. */
export class PartFailure extends Failure {}

const NOTE_BYTES = 65_536;
/** From this size on a broken transfer is gone on with in a later run, bytes. */
const NOTED_BYTES = 262_144;
/** Bytes between two looks at the room on the disk. */
const ROOM_STEP = 16_777_216;

/** Where the bytes that are here came from. */
type Note = { readonly store: string; readonly key: string; readonly validator: Validator };

/**
 * An artifact on its way: a file that grows, and a note beside it that says of which version of which object it is
 * the beginning. Both survive a killed run; the note only saves a transfer, the digest of the whole decides.
 */
export class PartFile {
  readonly path: string;
  readonly descriptor: number;
  #length: number;
  #note: Note | null;
  #roomUntil = 0;

  /** Throws PartFailure when it cannot be written, also when something else than a file of ours is there. */
  constructor(path: string) {
    this.path = path;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    this.descriptor = this.#tried(() => openSync(path, flags, 0o600));
    const status = fstatSync(this.descriptor);
    const user = process.geteuid?.();
    // With a second name somebody else could go on writing; a file of another user can be written by that one.
    if (!status.isFile() || status.nlink !== 1 || (user !== undefined && status.uid !== user)) {
      closeSync(this.descriptor);
      throw new PartFailure("unsafe_path", `${quoted(path)} is not a plain file of this user`, {
        hint: "somebody else put it there; look at it and remove it",
      });
    }
    this.#note = readNote(this.#notePath);
    this.#length = this.#note === null ? 0 : status.size;
  }

  /** Bytes that are here. */
  get length(): number {
    return this.#length;
  }

  /** How to go on with what is here, if it is of this object in this store. */
  resumeFor(store: string, key: string): Resume | null {
    const note = this.#note;
    if (note === null || this.#length === 0 || note.store !== store || note.key !== key) return null;
    return { offset: this.#length, validator: note.validator };
  }

  /**
   * Remembers what the bytes are of: null when a broken transfer of it cannot be resumed. `length` is that of the
   * whole, if it is known.
   */
  note(store: string, key: string, validator: Validator | null, length: number | null): void {
    this.#note = validator === null ? null : { store, key, validator };
    // For a later run only what is worth its price: a file of its own that has to reach the disk.
    const worth = this.#note !== null && (length === null || length >= NOTED_BYTES);
    this.#tried(() => {
      if (worth) writeAtomic(this.#notePath, JSON.stringify(this.#note), 0o600);
      else rmSync(this.#notePath, { force: true });
    });
  }

  append(bytes: Uint8Array): void {
    if (this.#length >= this.#roomUntil) {
      this.#checkRoom(bytes.length);
      this.#roomUntil = this.#length + ROOM_STEP;
      // The chunks that went by lie outside the heap: the collector does not feel how much they are.
      Bun.gc(false);
    }
    let written = 0;
    while (written < bytes.length) {
      written += this.#tried(() =>
        writeSync(this.descriptor, bytes, written, bytes.length - written, this.#length + written),
      );
    }
    this.#length += written;
  }

  /** Throws away what is here. */
  restart(): void {
    this.#length = 0;
    this.#tried(() => ftruncateSync(this.descriptor, 0));
  }

  /** The whole is here: nothing of an earlier, longer transfer is left behind it. */
  complete(): void {
    this.#tried(() => ftruncateSync(this.descriptor, this.#length));
    rmSync(this.#notePath, { force: true });
  }

  /** The first bytes, for a look at what came. */
  head(bytes: number): Uint8Array {
    const buffer = new Uint8Array(Math.min(bytes, this.#length));
    return buffer.subarray(0, readSync(this.descriptor, buffer, 0, buffer.length, 0));
  }

  /** Throws PartFailure `no_space` when `length` bytes in all cannot fit: the disk is others' too. */
  expect(length: number | null): void {
    if (length !== null) this.#checkRoom(length - this.#length);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  remove(): void {
    rmSync(this.path, { force: true });
    rmSync(this.#notePath, { force: true });
  }

  get #notePath(): string {
    return `${this.path}.json`;
  }

  #checkRoom(bytes: number): void {
    try {
      checkRoom(this.path, bytes);
    } catch (error) {
      throw error instanceof Failure ? new PartFailure(error.code, error.message, error) : error;
    }
  }

  #tried<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(error));
      throw new PartFailure(
        full ? "no_space" : "storage_failed",
        `${quoted(this.path)} cannot be written: ${reason(error)}`,
        { cause: error },
      );
    }
  }
}

/** A note that cannot be read is no note: the transfer then starts over. */
function readNote(path: string): Note | null {
  try {
    const what = "the note of a part file";
    const map = parseJson(readBounded(path, NOTE_BYTES, what), { what, code: "input_invalid" });
    const validator = isMap(map) ? map["validator"] : undefined;
    if (!isMap(map) || !isMap(validator)) return null;
    const [store, key, kind, text] = [map["store"], map["key"], validator["kind"], validator["text"]];
    if (typeof store !== "string" || typeof key !== "string" || typeof text !== "string") return null;
    // It goes into a header.
    if ((kind !== "etag" && kind !== "date") || !/^[\u0020-\u007e]{1,256}$/u.test(text)) return null;
    return { store, key, validator: { kind, text } };
  } catch {
    return null;
  }
}
