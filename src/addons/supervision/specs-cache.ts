import { statSync } from "node:fs";
import { readSpecs } from "../on-host/specs-file.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Specs } from "../on-host/spec.ts";
import type { SafeName } from "../names.ts";

/** The specs of every add-on, looked at ten times a second and read when they are others: their files are only ever replaced. */
export class SpecsCache {
  readonly #layout: Layout;
  readonly #read: Map<SafeName, { readonly mark: string; readonly specs: Specs }> = new Map();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  of(id: SafeName): Specs {
    const paths = this.#layout.addon(id);
    const status = statSync(paths.specs, { throwIfNoEntry: false });
    const mark = status === undefined ? "" : `${status.ino} ${status.mtimeMs} ${status.size}`;
    const known = this.#read.get(id);
    if (known?.mark === mark) return known.specs;
    const { specs } = readSpecs(paths);
    this.#read.set(id, { mark, specs });
    return specs;
  }
}
