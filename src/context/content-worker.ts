import { keepFromLastCompiler } from "../host/compiler.ts";
import type { BytePath } from "./byte-path.ts";
import { ContentBatch } from "./content-batch.ts";
import { ContextFolder } from "./context-folder.ts";
import { ContentHashing } from "./content-hashing.ts";
import type { ObjectFormat } from "./contents.ts";

/** What the main thread says: what all batches have in common, a batch, or that it waits for the last answer. */
export type ContentMessage =
  | {
      readonly kind: "begin";
      readonly root: BytePath;
      readonly format: ObjectFormat | null;
      /** One Int32: not zero once nobody wants the results. */
      readonly cancelled: SharedArrayBuffer;
    }
  | { readonly kind: "batch"; readonly memory: SharedArrayBuffer }
  | { readonly kind: "end" };

declare const self: Worker;

let hashing: ContentHashing;
let cancelled: Int32Array;

self.addEventListener("message", ({ data }: MessageEvent<ContentMessage>) => {
  switch (data.kind) {
    case "begin":
      hashing = new ContentHashing(new ContextFolder(data.root), data.format);
      cancelled = new Int32Array(data.cancelled);
      break;
    case "batch":
      hashBatch(new ContentBatch(data.memory));
      break;
    case "end":
      postMessage("done");
      break;
  }
});

function hashBatch(batch: ContentBatch): void {
  if (!batch.claim()) return;
  for (let index = 0; index < batch.records.count; index++) {
    if (Atomics.load(cancelled, 0) !== 0) return;
    const reading = hashing.begin(batch, index);
    if (reading === null) continue;
    while (!reading.step() && Atomics.load(cancelled, 0) === 0);
    reading.close();
  }
}

keepFromLastCompiler(hashBatch);
