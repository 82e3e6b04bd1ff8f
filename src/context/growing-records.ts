import type { BytePath } from "./byte-path.ts";
import { ContentRecords } from "./content-records.ts";
import type { ObjectFormat } from "./contents.ts";
import type { TreeItem } from "./tree-digests.ts";

const BLOCK = 1024;

/** Records of files whose number nobody knows yet. */
export class GrowingRecords {
  readonly #blocks: ContentRecords[] = [];

  /** Takes over a record of others. */
  take(number: number, others: ContentRecords, other: number): void {
    this.#block(number).copyFrom(others, other, number % BLOCK);
  }

  /** Of a file that is done. */
  item(path: BytePath, number: number, format: ObjectFormat | null): TreeItem {
    return this.#block(number).item(path, number % BLOCK, format);
  }

  /** The bytes of each of the first files, which are done. */
  *sizes(count: number): Generator<Float64Array> {
    for (let first = 0; first < count; first += BLOCK) {
      yield this.#block(first).sizes(Math.min(BLOCK, count - first));
    }
  }

  #block(number: number): ContentRecords {
    const at = Math.floor(number / BLOCK);
    while (this.#blocks.length <= at)
      this.#blocks.push(new ContentRecords(ContentRecords.memory(BLOCK), 0, BLOCK));
    const block = this.#blocks[at];
    if (block === undefined) throw new RangeError("there is no file of that number");
    return block;
  }
}
