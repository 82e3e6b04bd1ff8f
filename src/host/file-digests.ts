import { toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import type { Sha256 } from "../base/digest.ts";
import { DigestRun, type DigestSpec } from "./digest-run.ts";
import type { DigestAnswer, DigestOrder } from "./digest-worker.ts";
import { reason } from "./files.ts";
import { CORES, Thread } from "./threads.ts";

/** From this many bytes on, threads are worth their start. */
const WORKER_BYTES = 16_777_216;
/** Bytes between two announcements to a thread. */
const STEP_BYTES = 4_194_304;

export type Digests = {
  readonly sha256: Sha256;
  /** SHA-512(prefix || bytes), one for each prefix. */
  readonly sha512: readonly Uint8Array[];
};

/** One digesting file at a time has threads of its own: several downloads at once keep the processors busy anyway. */
let threadsTaken = false;

/**
 * The digests of a file that is being written, ready soon after its last byte. They are over what the file holds,
 * not over what came in: what was there before counts from byte 0, and a byte that the disk changed shows.
 */
export class FileDigests {
  readonly #descriptor: number;
  readonly #groups: readonly (readonly DigestSpec[])[];
  #lanes: Lane[];
  #announced = 0;
  #hasThreads = false;

  constructor(descriptor: number, prefixes: readonly Uint8Array[]) {
    this.#descriptor = descriptor;
    const sha256: DigestSpec = { algorithm: "sha256", prefix: new Uint8Array() };
    const sha512 = prefixes.map((prefix): DigestSpec => ({ algorithm: "sha512", prefix }));
    this.#groups = sha512.length === 0 ? [[sha256]] : [[sha256], sha512];
    this.#lanes = this.#groups.map((specs) => new DigestRun(descriptor, specs));
  }

  /** Everything before byte `length` has been written. */
  advance(length: number): void {
    if (length >= WORKER_BYTES && !this.#hasThreads) this.#takeThreads();
    if (length - this.#announced < STEP_BYTES) return;
    this.#announced = length;
    for (const lane of this.#lanes) lane.advance(length);
  }

  /** The file was emptied. */
  restart(): void {
    this.#announced = 0;
    for (const lane of this.#lanes) lane.restart();
  }

  /** The digests of the first `length` bytes. */
  async finish(length: number): Promise<Digests> {
    const [[sha256 = new Uint8Array()] = [], sha512 = []] = await Promise.all(
      this.#lanes.map(async (lane) => lane.finish(length)),
    );
    // 64 hex characters, straight from the engine.
    return { sha256: toHex(sha256) as Sha256, sha512 }; // oxlint-disable-line typescript/no-unsafe-type-assertion
  }

  close(): void {
    if (!this.#hasThreads) return;
    threadsTaken = this.#hasThreads = false;
    for (const lane of this.#lanes) if (lane instanceof DigestThread) lane.end();
  }

  /** The threads begin at byte 0 of the file, so nothing has to be handed over. */
  #takeThreads(): void {
    if (threadsTaken || CORES < 2) return;
    threadsTaken = this.#hasThreads = true;
    this.#announced = 0;
    this.#lanes = this.#groups.map((specs) => new DigestThread(this.#descriptor, specs));
  }
}

type Lane = {
  advance(length: number): void;
  restart(): void;
  finish(length: number): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
};

/** A thread as a lane; its messages come in the order in which they were sent. */
class DigestThread implements Lane {
  readonly #thread = new Thread("host/digest-worker");

  constructor(descriptor: number, specs: readonly DigestSpec[]) {
    this.#tell({ kind: "start", descriptor, specs });
  }

  advance(length: number): void {
    this.#tell({ kind: "advance", length });
  }

  restart(): void {
    this.#tell({ kind: "restart" });
  }

  async finish(length: number): Promise<readonly Uint8Array[]> {
    const order: DigestOrder = { kind: "finish", length };
    const answer = await this.#thread.ask<DigestAnswer>(order).catch((accident: unknown): DigestAnswer => {
      return { kind: "failed", message: reason(accident) };
    });
    if (answer.kind === "digests") return answer.digests;
    throw new Failure("storage_failed", `what was downloaded cannot be digested: ${answer.message}`);
  }

  end(): void {
    this.#thread.end();
  }

  #tell(order: DigestOrder): void {
    this.#thread.tell(order);
  }
}
