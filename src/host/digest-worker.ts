import { DigestRun, type DigestSpec } from "./digest-run.ts";

/** A thread that digests a file while the main one writes it. An entry point of its own in scripts/build. */

export type DigestOrder =
  | { readonly kind: "start"; readonly descriptor: number; readonly specs: readonly DigestSpec[] }
  /** Everything before this byte is in the file. */
  | { readonly kind: "advance"; readonly length: number }
  | { readonly kind: "restart" }
  | { readonly kind: "finish"; readonly length: number };

/** The answer to `finish`. */
export type DigestAnswer =
  | { readonly kind: "digests"; readonly digests: readonly Uint8Array[] }
  | { readonly kind: "failed"; readonly message: string };

declare const self: Worker;

let run: DigestRun | null = null;
// A file that was emptied meanwhile cannot be read; what counts is whether it can after `restart`.
let trouble: unknown = null;

self.addEventListener("message", ({ data }: MessageEvent<DigestOrder>) => {
  try {
    if (data.kind === "start") run = new DigestRun(data.descriptor, data.specs);
    else if (data.kind === "advance" && trouble === null) run?.advance(data.length);
    else if (data.kind === "restart") {
      trouble = null;
      run?.restart();
    } else if (data.kind === "finish" && run !== null && trouble === null) {
      answer({ kind: "digests", digests: run.finish(data.length) });
      return;
    }
  } catch (error) {
    trouble = error;
  }
  if (data.kind === "finish") answer({ kind: "failed", message: String(trouble) });
});

function answer(message: DigestAnswer): void {
  self.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin
}
