import type { Specs } from "../on-host/spec.ts";

/** Why a version stays. */
export type Kept =
  | "current"
  | "active"
  | "last_known_good"
  | "previous"
  | "pending"
  | "pinned"
  | "running"
  | "recent";

export type GarbageFacts = {
  readonly current: string | null;
  readonly specs: Specs;
  /** Every folder under `versions/`, the newest first. */
  readonly folders: readonly { readonly folder: string; readonly sha256: string | null }[];
  /** Folders out of which something runs. */
  readonly running: ReadonlySet<string>;
  /** How many versions stay besides those that have to. */
  readonly keep: number;
};

export type GarbageChoice = {
  readonly kept: readonly { readonly folder: string; readonly why: Kept }[];
  readonly removed: readonly string[];
};

/** What may go. What runs, what is shown, and what a fall-back or a rollback would need never does. */
export function chooseGarbage(facts: GarbageFacts): GarbageChoice {
  const { current, specs, folders, running } = facts;
  const previous = specs.history.find(({ folder }) => folder !== specs.active?.folder)?.folder;
  const reasonFor = ({ folder, sha256 }: GarbageFacts["folders"][number]): Kept | null => {
    if (folder === current) return "current";
    if (folder === specs.active?.folder) return "active";
    if (folder === specs.pending?.spec.folder) return "pending";
    if (folder === specs.last_known_good?.folder) return "last_known_good";
    if (folder === previous) return "previous";
    if (sha256 === specs.pinned?.artifact_sha256) return "pinned";
    return running.has(folder) ? "running" : null;
  };
  const kept: { folder: string; why: Kept }[] = [];
  const removed: string[] = [];
  let recent = 0;
  for (const one of folders) {
    const why = reasonFor(one) ?? (recent++ < facts.keep ? "recent" : null);
    if (why === null) removed.push(one.folder);
    else kept.push({ folder: one.folder, why });
  }
  return { kept, removed };
}
