import { asFailure, Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { quoted } from "../base/printable.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import type { Sha256 } from "../base/digest.ts";
import { FileDigests, type Digests } from "../host/file-digests.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { StatusFailure } from "./http-status.ts";
import { PartFailure, PartFile } from "./part-file.ts";
import { Patience, type Pace } from "./patience.ts";
import type { ObjectRead, ObjectStream } from "./store.ts";
import { isRetried, isTransient, pauseBefore } from "./transience.ts";

/** One place where an object may be had. */
export type Source = {
  /** For messages and for blame. */
  readonly name: string;
  readonly key: string;
  open(read: Omit<ObjectRead, "key">): Promise<ObjectStream>;
};

export type Wanted = {
  readonly sha256: Sha256;
  /** SHA-512(prefix || bytes) is wanted for each: the one pass over the bytes that signatures need. */
  readonly prefixes: readonly Uint8Array[];
  readonly maxBytes: number;
};

export type DownloadLimits = Pace & {
  /** Milliseconds of pauses between tries, over all sources. */
  readonly retryBudgetMs: number;
};

/** A source that did not bring the object. */
export type Fault = { readonly store: string; readonly failure: Failure };

export type Download = {
  /** Bytes. */
  readonly length: number;
  /** In the order of `prefixes`. */
  readonly sha512: readonly Uint8Array[];
  /** The source whose bytes they are. */
  readonly from: string;
  /** The sources that were tried before it. */
  readonly faults: readonly Fault[];
};

/** Fruitless tries in a row at one source. */
const TRIES = 3;

/**
 * Brings an object to the file `path` from the first source that has the right bytes; what an earlier run left there
 * is gone on with. The file is then whole and has the wanted digest; it is not on the disk for sure and nobody else
 * may read it. Throws Failure: `hash_mismatch` when a source had other bytes and none had the right ones, the failure
 * of the only source, or the one that is most worth another run; a partial file stays when going on with it may work.
 */
export async function download(
  sources: readonly Source[],
  wanted: Wanted,
  path: string,
  limits: DownloadLimits,
  stop: AbortSignal,
): Promise<Download> {
  const part = new PartFile(path);
  const digests = new FileDigests(part.descriptor, wanted.prefixes);
  const transfer = new Transfer(part, digests, wanted, limits, stop);
  const faults: Fault[] = [];
  let keep = true;
  try {
    for (const [index, source] of sources.entries()) {
      try {
        const { sha512 } = await transfer.from(source, sources.length - index);
        part.complete();
        return { length: part.length, sha512, from: source.name, faults };
      } catch (error) {
        if (stop.aborted) throw interruption(stop, `reading from ${source.name}`);
        if (error instanceof PartFailure) throw error;
        faults.push({ store: source.name, failure: asFailure(error) });
      }
    }
    const failure = failureOf(faults);
    keep = isTransient(failure);
    throw failure;
  } catch (error) {
    // The disk is full because of us: what is here helps nobody.
    if (error instanceof PartFailure) keep = false;
    if (!keep) part.remove();
    throw error;
  } finally {
    digests.close();
    part.close();
  }
}

class Transfer {
  readonly #part: PartFile;
  readonly #digests: FileDigests;
  readonly #wanted: Wanted;
  readonly #limits: DownloadLimits;
  readonly #stop: AbortSignal;
  readonly #started: number = performance.now();
  #retryMs: number;

  constructor(
    part: PartFile,
    digests: FileDigests,
    wanted: Wanted,
    limits: DownloadLimits,
    stop: AbortSignal,
  ) {
    this.#part = part;
    this.#digests = digests;
    this.#wanted = wanted;
    this.#limits = limits;
    this.#stop = stop;
    this.#retryMs = limits.retryBudgetMs;
  }

  /** Tries one source until it brought the right bytes, or is not worth another try. */
  async from(source: Source, sourcesLeft: number): Promise<Digests> {
    let budget = this.#retryMs / sourcesLeft;
    for (let fruitless = 0; ;) {
      const before = this.#part.length;
      try {
        return await this.#whole(source);
      } catch (error) {
        if (this.#stop.aborted || error instanceof PartFailure) throw error;
        const failure = asFailure(error);
        fruitless = this.#part.length > before ? 1 : fruitless + 1;
        const asked = failure instanceof StatusFailure ? retryAfterMs(failure.headers, Date.now()) : null;
        const pause = pauseBefore(fruitless, asked, Math.random(), Math.min(budget, this.#remainingMs()));
        if (!isRetried(failure) || fruitless >= TRIES || pause === null) throw failure;
        await SYSTEM_CLOCK.sleep(pause, this.#stop);
        this.#retryMs -= pause;
        budget -= pause;
      }
    }
  }

  /** The whole object, its digest compared. What is here from before is not trusted more than what comes. */
  async #whole(source: Source): Promise<Digests> {
    const resumed = await this.#pull(source);
    const found = await this.#digests.finish(this.#part.length);
    if (found.sha256 === this.#wanted.sha256) return found;
    const failure = this.#otherBytes(found.sha256, source);
    this.#restart();
    // Part of it came from before: only a transfer in one piece shows what the source has.
    if (!resumed) throw failure;
    return this.#whole(source);
  }

  /** Reads to the end, and says whether it went on with bytes of an earlier transfer. */
  async #pull(source: Source): Promise<boolean> {
    const remainingMs = this.#remainingMs();
    using patience = new Patience(this.#limits, remainingMs, this.#stop);
    const resume = this.#part.resumeFor(source.name, source.key);
    try {
      const stream = await source.open({
        sha256: this.#wanted.sha256,
        maxBytes: this.#wanted.maxBytes,
        // Ours ends it first, and says more.
        deadlineMs: remainingMs + 5_000,
        stop: patience.signal,
        ...(resume === null ? {} : { resume }),
      });
      if (stream.offset !== this.#part.length) this.#restart();
      this.#part.expect(stream.length);
      this.#part.note(source.name, source.key, stream.validator, stream.length);
      const resumed = stream.offset > 0;
      for await (const chunk of stream) {
        patience.saw(chunk.length);
        this.#part.append(chunk);
        this.#digests.advance(this.#part.length);
      }
      return resumed;
    } catch (error) {
      throw patience.given(source.name) ?? error;
    }
  }

  #restart(): void {
    this.#part.restart();
    this.#digests.restart();
  }

  #remainingMs(): number {
    return Math.max(1, this.#limits.deadlineMs - (performance.now() - this.#started));
  }

  #otherBytes(found: Sha256, source: Source): Failure {
    const { length } = this.#part;
    const head = new TextDecoder().decode(this.#part.head(256)).trimStart().toLowerCase();
    const page = head.startsWith("<!doctype html") || head.startsWith("<html");
    return new Failure(
      "hash_mismatch",
      `${length} bytes came from ${quoted(source.name)} with sha256 ${found}; assigned is ${this.#wanted.sha256}`,
      {
        hint: page
          ? "it is an HTML page: a login or error page stands where the artifact should be"
          : "the store holds other bytes than were published, or they changed on the way",
      },
    );
  }
}

/** One failure for all: wrong bytes are told before anything else, then what another run may cure. */
function failureOf(faults: readonly Fault[]): Failure {
  const first = faults[0];
  if (first === undefined) return new Failure("object_store_unavailable", "no store was named");
  if (faults.length === 1) return first.failure;
  const worst =
    faults.find(({ failure }) => failure.code === "hash_mismatch") ??
    faults.find(({ failure }) => isTransient(failure)) ??
    first;
  const all = faults.map(({ store, failure }) => `${store}: ${failure.message}`).join("; ");
  return new Failure(worst.failure.code, `no store has the artifact: ${all}`, {
    hint: worst.failure.hint,
    cause: worst.failure,
  });
}
