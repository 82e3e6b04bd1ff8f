import { lstatSync } from "node:fs";
import { join } from "node:path";
import { exactTextOf } from "../base/encoding.ts";
import { LIMITS } from "../base/limits.ts";
import { CommitTree, type TreeEntry } from "./commit-tree.ts";
import { configuredRepo } from "./configured-repo.ts";
import { textOf, type Git } from "./git.ts";
import { absent, type Known } from "./known.ts";
import { REMOTE_SETTINGS } from "./remote-choice.ts";
import { mayExist } from "./repository-search.ts";

/** A repository that the commit names inside the context, by one commit. */
export type Submodule = {
  /** Below the context. */
  readonly path: Buffer;
  /** The commit that the outer commit wants there. */
  readonly commit: string;
  /** The commit that is checked out there, or null when nothing is. */
  readonly head: string | null;
  readonly repo: Known<string>;
  /** What the wanted commit holds; null when it is not here. */
  readonly tree: CommitTree | null;
};

/** The submodules of a tree and those inside them. `folder` is where the tree is checked out; `git` runs anywhere. */
export async function readSubmodules(git: Git, folder: string, tree: CommitTree): Promise<Submodule[]> {
  const found: Submodule[] = [];
  const open = tree.submodules.map((link) => ({ folder, link, above: Buffer.alloc(0) }));
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { link, above } = next;
    const path = Buffer.concat([above, link.path]);
    const one = await readSubmodule(git, next.folder, link);
    found.push({ ...one, path });
    if (found.length >= LIMITS.submodules) break;
    const inner = one.tree?.submodules ?? [];
    const name = exactTextOf(link.path);
    if (name === null) continue;
    for (const deeper of inner) {
      open.push({ folder: join(next.folder, name), link: deeper, above: Buffer.concat([path, SLASH]) });
    }
  }
  return found;
}

const SLASH = Buffer.from("/");

/** Without a .git of its own, git would answer for the repository around it; a link leads to another one. */
export function isCheckedOut(place: string): boolean {
  return !isLink(place) && mayExist(join(place, ".git"));
}

function isLink(place: string): boolean {
  try {
    return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    return false;
  }
}

async function readSubmodule(git: Git, folder: string, link: TreeEntry): Promise<Submodule> {
  const name = exactTextOf(link.path);
  const place = name === null ? null : join(folder, name);
  const none = { path: link.path, commit: link.id, head: null, tree: null };
  if (place === null || !isCheckedOut(place)) return { ...none, repo: absent("submodule_not_initialised") };
  const inside = git.within(place);
  const [head, branch, settings, tree] = await Promise.all([
    inside.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
    inside.line(["symbolic-ref", "--quiet", "HEAD"]),
    inside.run(["config", "-z", "--get-regexp", REMOTE_SETTINGS]),
    inside.run(["ls-tree", "-r", "-z", "--full-tree", link.id]),
  ]);
  return {
    ...none,
    head: head.ok ? textOf(head.stdout).trimEnd() : null,
    repo: configuredRepo(settings, branch),
    tree: tree.ok ? new CommitTree(tree.stdout) : null,
  };
}
