import { Failure } from "../../base/failure.ts";
import { statusAt } from "../../host/files.ts";
import { readSpecs } from "../on-host/specs-file.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import { NO_SPECS, type Specs } from "../on-host/spec.ts";
import type { SafeName } from "../names.ts";

/** What runs is not stopped because its specs are not to be believed any more: a stage says so. */
function readOr(paths: AddonPaths, otherwise: Specs): Specs {
  try {
    return readSpecs(paths).specs;
  } catch (error) {
    if (error instanceof Failure) return otherwise;
    throw error;
  }
}

/**
 * The specs of every add-on, looked at ten times a second and
 * read when they are others: their files are only ever replaced.
 */
export class SpecsCache {
  readonly #layout: Layout;
  readonly #read: Map<SafeName, { readonly mark: string; readonly specs: Specs }> = new Map();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  of(id: SafeName): Specs {
    const paths = this.#layout.addon(id);
    const status = statusAt(paths.specs);
    const mark = status === undefined ? "" : `${status.ino} ${status.ctimeMs} ${status.size}`;
    const known = this.#read.get(id);
    if (known?.mark === mark) return known.specs;
    const specs = readOr(paths, known?.specs ?? NO_SPECS);
    this.#read.set(id, { mark, specs });
    return specs;
  }
}
