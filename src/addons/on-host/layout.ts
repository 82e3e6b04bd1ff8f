import { join } from "node:path";
import type { SafeName } from "../names.ts";

/** Whose names the files on the host have: ours, or those that the original's agent reads. */
export type LayoutName = "waybill" | "serviceradar";

/** Where everything of one root lies. Paths only: nothing is read here. */
export class Layout {
  readonly name: LayoutName;
  readonly root: string;
  readonly addons: string;
  /** Downloads grow here; on the same file system as `addons`, so that a rename publishes them. */
  readonly tmp: string;
  /** Held by whoever changes something here. */
  readonly lock: string;
  /** Held by the one run that stages, to its end. */
  readonly stagingLock: string;
  /** The last assignment list that could be fetched. */
  readonly assignments: string;
  /** The entity tag that the server gave that list. */
  readonly assignmentsTag: string;
  /** What was done here, one line each, chained by digests. */
  readonly audit: string;
  /** Attempts that failed, and when to try again. */
  readonly attempts: string;
  /** The highest time that was seen here. */
  readonly clock: string;
  readonly #recordName: string;

  /** `root` is an absolute path. */
  constructor(root: string, name: LayoutName) {
    this.name = name;
    this.root = root;
    this.addons = join(root, "addons");
    this.tmp = join(root, "tmp");
    this.lock = join(root, "lock");
    this.stagingLock = join(root, "staging.lock");
    this.assignments = join(root, "assignments.json");
    this.assignmentsTag = join(root, "assignments.tag.json");
    this.audit = join(root, "audit.jsonl");
    this.attempts = join(root, "attempts.json");
    this.clock = join(root, "clock.json");
    this.#recordName = name === "waybill" ? ".waybill-addon.json" : ".serviceradar-addon.json";
  }

  /** The name of an executable whose assignment gives no usable one. */
  defaultBinary(id: SafeName): string {
    return this.name === "waybill" ? id : `serviceradar-${id}-addon`;
  }

  addon(id: SafeName): AddonPaths {
    return new AddonPaths(join(this.addons, id), this.#recordName);
  }
}

/** `<root>/addons/<id>/{current,versions/<version>/<binary>}` and what we note beside them. */
export class AddonPaths {
  readonly directory: string;
  /** Relative link to `versions/<version>`. */
  readonly current: string;
  readonly versions: string;
  /** Not in `state/`: that one belongs to the add-on, which must not be able to choose what runs next. */
  readonly specs: string;
  /** That the bytes were verified, and what the files looked like then. */
  readonly stamp: string;
  readonly recordName: string;

  constructor(directory: string, recordName: string) {
    this.directory = directory;
    this.current = join(directory, "current");
    this.versions = join(directory, "versions");
    this.specs = join(directory, ".waybill-specs.json");
    this.stamp = join(directory, ".waybill-verified.json");
    this.recordName = recordName;
  }

  version(folder: string): string {
    return join(this.versions, folder);
  }

  binary(folder: string, binaryName: string): string {
    return join(this.versions, folder, binaryName);
  }

  record(folder: string): string {
    return join(this.versions, folder, this.recordName);
  }
}
