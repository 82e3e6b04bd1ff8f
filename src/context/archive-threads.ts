import type { Sha256 } from "../base/digest.ts";
import { isSha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { whyUnwritten, type PendingFile } from "../host/files.ts";
import { CORES, Thread } from "../host/threads.ts";
import type { ArchiveTarget, Compression } from "./archive.ts";
import { packOne } from "./archive-pieces.ts";
import type { ArchiveRing } from "./archive-ring.ts";
import type { ArchiveAnswer, ArchiveTask } from "./archive-worker.ts";
import type { Turns } from "./turns.ts";

/** How long the event loop may wait for a thread to finish a piece. */
const WAIT_MS = 4;

/** Compressing is what takes the time; writing is little beside hashing, which is one thread's. */
function threadsFor(compression: Compression): number {
  return compression === "none" ? 1 : CORES;
}

/** So many that nobody waits for a place while others are busy, and few enough to be small. */
export function ringSlots(compression: Compression): number {
  return threadsFor(compression) + (compression === "none" ? 3 : 4);
}

type Work = {
  readonly ring: ArchiveRing;
  readonly target: ArchiveTarget;
  readonly file: PendingFile;
  readonly digests: NonNullable<ArchiveTask["digests"]>;
  readonly turns: Turns;
  /** Called for each piece in order, before its place is given back. */
  readonly onThrough: (piece: number) => void;
};

/** The threads beside the one that fills an archive, and that one's part of their work. */
export class ArchiveThreads {
  readonly #work: Work;
  readonly #threads: Thread[] = [];
  readonly #answers: Promise<ArchiveAnswer>[] = [];
  #accident: unknown = null;
  /** The oldest piece that is not written and free again. */
  #oldest = 0;

  constructor(work: Work) {
    this.#work = work;
    const { ring, target, file } = work;
    for (let index = 0; index < threadsFor(target.compression); index++) {
      const thread = new Thread("context/archive-worker");
      const task: ArchiveTask = {
        ring: ring.memory,
        compression: target.compression,
        descriptor: file.descriptor,
        digests: index === 0 ? work.digests : null,
      };
      const answer = thread.ask<ArchiveAnswer>(task);
      answer.catch((accident: unknown) => (this.#accident ??= accident));
      this.#threads.push(thread);
      this.#answers.push(answer);
    }
  }

  /** Until a piece of that number can be filled. Throws Failure `output_not_written`. */
  async untilFree(piece: number): Promise<void> {
    await this.#until(() => this.#work.ring.isFree(piece));
  }

  /**
   * Until all is written that was published; the digest of the tar, null when it is not asked for. Throws Failure
   * `output_not_written`.
   */
  async finish(pieces: number): Promise<Sha256 | null> {
    this.#work.ring.end();
    await this.#until(() => this.#oldest === pieces);
    const answers = await Promise.all(this.#answers);
    if (!this.#work.digests.tar) return null;
    for (const answer of answers) {
      if (answer.ok && answer.tarSha256 !== null && isSha256(answer.tarSha256)) return answer.tarSha256;
    }
    throw new Error("no thread knows the digest of the archive");
  }

  /** Ends the threads. Only then nobody writes to the descriptor any more, whose number the next file may get. */
  async stop(): Promise<void> {
    this.#work.ring.stop();
    await Promise.allSettled(this.#answers);
    for (const thread of this.#threads) thread.end();
  }

  async #until(happened: () => boolean): Promise<void> {
    const { ring, target, file, turns } = this.#work;
    for (;;) {
      const progress = ring.progress();
      this.#release();
      if (happened()) return;
      if (turns.due()) await turns.take();
      if (this.#accident !== null) throw this.#accident;
      if (ring.isStopped()) throw await this.#whyStopped();
      // This thread is waiting; what it can write is written sooner.
      const helped =
        target.compression === "none" && written(target.path, () => packOne(ring, "none", file.descriptor));
      if (!helped) ring.waitForProgress(progress, WAIT_MS);
    }
  }

  /** Writes what is compressed, in order, and gives the places of what others are done with back. */
  #release(): void {
    const { ring, target, file, onThrough } = this.#work;
    while (ring.isThrough(this.#oldest)) {
      if (target.compression !== "none") {
        written(target.path, () => file.write(ring.packedContent(this.#oldest)));
      }
      onThrough(this.#oldest);
      ring.free(this.#oldest++);
    }
  }

  async #whyStopped(): Promise<unknown> {
    const answers = await Promise.all(this.#answers);
    const refused = answers.find((answer) => !answer.ok);
    return refused === undefined
      ? new Error("the archive was stopped")
      : notWritten(this.#work.target.path, refused.reason);
  }
}

/** Does what writes the archive. Throws Failure `output_not_written`. */
export function written<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw notWritten(path, whyUnwritten(error), error);
  }
}

function notWritten(path: string, why: string, cause?: unknown): Failure {
  return new Failure("output_not_written", `the archive ${quoted(path)} cannot be written: ${why}`, {
    hint: "name a file in a folder that exists and has room; nothing was left behind",
    cause,
  });
}
