import { reason } from "../host/files.ts";
import type { Compression } from "./archive.ts";
import { packOne, PieceDigests } from "./archive-pieces.ts";
import { ArchiveRing, type RingMemory } from "./archive-ring.ts";
import type { ObjectFormat } from "./contents.ts";

/** The one thing that the main thread says. */
export type ArchiveTask = {
  readonly ring: RingMemory;
  readonly compression: Compression;
  /** Open for as long as this thread has not answered. */
  readonly descriptor: number;
  /** For the one thread that hashes; null for those that only compress. */
  readonly digests: {
    readonly format: ObjectFormat | null;
    /** Whether the tar as a whole is hashed, too. */
    readonly tar: boolean;
  } | null;
};

/** The one answer, at the end: the digest when it was this thread's to make, or why nothing can be written. */
export type ArchiveAnswer =
  | { readonly ok: true; readonly tarSha256: string | null }
  | { readonly ok: false; readonly reason: string };

declare const self: Worker;

self.addEventListener("message", ({ data }: MessageEvent<ArchiveTask>) => {
  postMessage(work(data));
});

function work({ ring: memory, compression, descriptor, digests: wanted }: ArchiveTask): ArchiveAnswer {
  const ring = new ArchiveRing(memory);
  const digests = wanted === null ? null : new PieceDigests(wanted.format, wanted.tar);
  for (;;) {
    const events = ring.events();
    if (ring.isStopped()) return { ok: true, tarSha256: null };
    const ended = ring.isEnded();
    const next = digests === null ? null : ring.nextToHash();
    if (digests !== null && next !== null) {
      digests.add(ring, next);
      ring.hashed(next);
      if (compression !== "none") continue;
    }
    try {
      if (packOne(ring, compression, descriptor)) continue;
    } catch (error) {
      ring.stop();
      return { ok: false, reason: reason(error) };
    }
    if (next !== null) continue;
    if (ended) return { ok: true, tarSha256: digests?.tarSha256() ?? null };
    ring.waitForEvent(events);
  }
}
