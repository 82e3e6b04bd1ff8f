import { availableParallelism } from "node:os";
import { toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import type { Sha256 } from "../base/digest.ts";
import { DigestRun, type DigestSpec } from "./digest-run.ts";
import { isCompiled } from "./runtime.ts";
import type { DigestAnswer, DigestOrder } from "./digest-worker.ts";

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
    for (const lane of this.#lanes) if (lane instanceof Thread) lane.end();
  }

  /** The threads begin at byte 0 of the file, so nothing has to be handed over. */
  #takeThreads(): void {
    if (threadsTaken || availableParallelism() < 2) return;
    threadsTaken = this.#hasThreads = true;
    this.#announced = 0;
    this.#lanes = this.#groups.map((specs) => new Thread(this.#descriptor, specs));
  }
}

type Lane = {
  advance(length: number): void;
  restart(): void;
  finish(length: number): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
};

class Thread implements Lane {
  readonly #worker: Worker;
  #answer: PromiseWithResolvers<readonly Uint8Array[]> = Promise.withResolvers();

  constructor(descriptor: number, specs: readonly DigestSpec[]) {
    this.#worker = new Worker(workerUrl());
    this.#worker.addEventListener("message", ({ data }: MessageEvent<DigestAnswer>) => {
      if (data.kind === "digests") this.#answer.resolve(data.digests);
      else this.#fail(data.message);
    });
    this.#worker.addEventListener("error", (event) => this.#fail(event.message));
    // It may fail before anybody waits.
    this.#answer.promise.catch(() => {});
    this.#order({ kind: "start", descriptor, specs });
  }

  advance(length: number): void {
    this.#order({ kind: "advance", length });
  }

  restart(): void {
    this.#answer = Promise.withResolvers();
    this.#answer.promise.catch(() => {});
    this.#order({ kind: "restart" });
  }

  finish(length: number): Promise<readonly Uint8Array[]> {
    this.#order({ kind: "finish", length });
    return this.#answer.promise;
  }

  end(): void {
    this.#worker.terminate();
  }

  #order(order: DigestOrder): void {
    // A thread of our own has no origin to name.
    this.#worker.postMessage(order); // oxlint-disable-line unicorn/require-post-message-target-origin
  }

  #fail(message: string): void {
    this.#answer.reject(new Failure("storage_failed", `what was downloaded cannot be digested: ${message}`));
  }
}

/** Beside this file in the source tree; by its path below `src` in the binary, whose chunks lie elsewhere. */
function workerUrl(): string {
  if (!isCompiled()) return new URL("./digest-worker.ts", import.meta.url).href;
  return new URL("./host/digest-worker.js", `file://${Bun.main}`).href;
}
