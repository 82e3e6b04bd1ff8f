import { lstatSync } from "node:fs";
import { join } from "node:path";
import { isSubmodule, readCommitTree, type TreeEntry } from "./commit-tree.ts";
import { exactTextOf, type Git } from "./git.ts";
import { absent, known, type Known } from "./known.ts";

/**
 * What `git status` says below `subpath`, ignored files left out: the original's meaning of dirty. Null with a
 * reason on any failure: a status that could not be read is not a clean one. `git` runs at `top`; `committed` is
 * what HEAD holds below `subpath`, for whoever has read it already.
 */
export async function readDirty(
  git: Git,
  top: string,
  subpath: string,
  committed?: Promise<Known<readonly TreeEntry[]>>,
): Promise<Known<boolean>> {
  const shut = await filtersShut(git);
  if (shut.reason !== null) return shut;
  // Left to itself, git runs a second status inside each submodule, with that repository's filters live.
  const status = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=dirty"];
  const answer = await git.run([...status, ...(subpath === "" ? [] : ["--", subpath])], shut.value);
  if (!answer.ok) return absent(answer.reason);
  if (answer.stdout.length > 0) return known(true);
  return anySubmoduleDirty(git, join(top, subpath), await (committed ?? readCommitTree(git, subpath)));
}

/** The work trees of the submodules, each by a status of its own. The commit lists them: the index is equal to it. */
async function anySubmoduleDirty(
  git: Git,
  folder: string,
  tree: Known<readonly TreeEntry[]>,
): Promise<Known<boolean>> {
  // Nothing committed yet, and nothing there: no submodule either.
  if (tree.reason !== null) return tree.reason === "unborn_branch" ? known(false) : tree;
  for (const { path } of tree.value.filter(isSubmodule)) {
    const name = exactTextOf(path);
    if (name === null) return absent("git_failed");
    const place = join(folder, name);
    const initialised = lstatSync(join(place, ".git"), { throwIfNoEntry: false }) !== undefined;
    const dirty = initialised ? await readDirty(git.at(place), place, "") : known(false);
    if (dirty.value !== false) return dirty;
  }
  return known(false);
}

/** Settings that keep status from running the programs of `filter.<driver>.clean` and `.process`. */
async function filtersShut(git: Git): Promise<Known<readonly string[]>> {
  const drivers = await git.run(["config", "-z", "--name-only", "--get-regexp", String.raw`^filter\.`]);
  // git config exits with 1 when nothing matches.
  if (!drivers.ok) return drivers.code === 1 ? known([]) : absent(drivers.reason);
  const keys = exactTextOf(drivers.stdout);
  const names = new Set<string>();
  for (const key of keys?.split("\0") ?? []) {
    const name = /^filter\.(.*)\.[^.]*$/su.exec(key)?.[1];
    if (name !== undefined) names.add(name);
  }
  // `-c filter.a=b.clean=` would set `filter.a`, and bytes that are not UTF-8 cannot be passed on: not shut, not run.
  if (keys === null || [...names].some((name) => name.includes("="))) return absent("filter_not_disabled");
  return known(
    [...names].flatMap((name) => [
      `filter.${name}.clean=`,
      `filter.${name}.process=`,
      `filter.${name}.required=false`,
    ]),
  );
}
