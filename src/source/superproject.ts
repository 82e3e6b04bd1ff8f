import { dirname } from "node:path";
import { committedEntry } from "./committed-entry.ts";
import { configuredRepo } from "./configured-repo.ts";
import { textOf, type Git } from "./git.ts";
import { readCommitId, readSymbolicHead } from "./head.ts";
import type { Known } from "./known.ts";
import { REMOTE_SETTINGS } from "./remote-choice.ts";
import { hasRepositoryAround } from "./repository-search.ts";
import { findWorkTree } from "./work-tree.ts";

/** The repository that has this one as a submodule. */
export type Superproject = {
  readonly repo: Known<string>;
  readonly commit: Known<string>;
  /** Where in it the submodule lies. */
  readonly path: string;
  /** The commit that it wants there; null when its HEAD does not know the submodule yet. */
  readonly wanted: string | null;
};

/** `top` is the top of the inner work tree. */
export async function readSuperproject(git: Git, top: string): Promise<Superproject | null> {
  const above = dirname(top);
  if (!hasRepositoryAround(above)) return null;
  const outer = await findWorkTree(git.at(above), top);
  if (!outer.ok) return null;
  const { subpath: path } = outer;
  const inside = git.at(outer.top);
  const staged = await inside.run(["ls-files", "--stage", "-z", "--", path]);
  // A clone that merely lies inside another one is not part of it.
  if (!staged.ok || !textOf(staged.stdout).startsWith("160000 ")) return null;
  const [commit, wanted, branch, settings] = await Promise.all([
    readCommitId(inside),
    committedEntry(inside, path),
    readSymbolicHead(inside),
    inside.run(["config", "-z", "--get-regexp", REMOTE_SETTINGS]),
  ]);
  return { repo: configuredRepo(settings, branch.value), commit, path, wanted: wanted?.id ?? null };
}
