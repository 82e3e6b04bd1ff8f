import type { Sha256 } from "../base/digest.ts";
import type { WorkTree } from "../source/work-tree.ts";
import type { ContextCapture } from "./capture-context.ts";
import type { DigestName } from "./digest-names.ts";
import { gitTree } from "./git-tree.ts";
import { dirHash, workingTreeHash, type DigestResult, type TreeItems } from "./tree-digests.ts";

/** Each of the four, or why it is not there. */
export type Digests = {
  readonly working_tree_hash: DigestResult;
  readonly dir_hash: DigestResult;
  readonly git_tree: DigestResult;
  readonly tar_sha256: DigestResult;
};

/** From so many on, memory counts more than the milliseconds that it takes to give some back. */
const ITEMS_TO_COLLECT = 20_000;

/**
 * Where all items are gone through: gives back what was made until then. By itself the runtime would let it grow to
 * that of several times.
 */
function collect(items: TreeItems): void {
  if (items.length >= ITEMS_TO_COLLECT) Bun.gc(true);
}

/** The digests of what was read; `wanted` are those that are asked for, null for all. */
export function digestsOf(
  context: ContextCapture,
  workTree: WorkTree,
  wanted: ReadonlySet<DigestName> | null,
): Digests {
  const { items, lines } = context;
  const gone = context.problem?.code ?? "unreadable";
  const asked = <T extends string>(name: DigestName, compute: () => DigestResult<T>): DigestResult<T> =>
    wanted?.has(name) === false ? none("not_asked") : compute();
  const overItems = <T extends string>(
    name: DigestName,
    compute: (found: TreeItems) => DigestResult<T>,
  ): DigestResult<T> =>
    asked(name, () => {
      if (items === null) return none(gone);
      collect(items);
      const digest = compute(items);
      collect(items);
      return digest;
    });
  /** The lines are there already, where files were not read into an archive. */
  const overLines = (name: DigestName, compute: typeof workingTreeHash): DigestResult<Sha256> =>
    lines === null
      ? overItems(name, compute)
      : asked(name, () => (items === null ? none(gone) : compute(items, lines)));
  const archive = context.archive?.tarSha256;
  return {
    working_tree_hash: overLines("working_tree_hash", workingTreeHash),
    dir_hash: overLines("dir_hash", dirHash),
    git_tree: workTree.ok
      ? overItems("git_tree", (found) => some(gitTree(found, workTree.objectFormat)))
      : asked("git_tree", () => none(items === null ? gone : workTree.reason)),
    tar_sha256: asked("tar_sha256", () =>
      archive === undefined || archive === null ? none(context.problem?.code ?? "no_archive") : some(archive),
    ),
  };
}

function some<T extends string>(value: T): DigestResult<T> {
  return { value, reason: null };
}

function none(reason: string): { readonly value: null; readonly reason: string } {
  return { value: null, reason };
}
