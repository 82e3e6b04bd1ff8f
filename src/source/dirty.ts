import { join } from "node:path";
import { exactTextOf } from "../base/encoding.ts";
import { readCommitTree, type CommitTree } from "./commit-tree.ts";
import type { Git, GitAnswer } from "./git.ts";
import { absent, known, type Known } from "./known.ts";
import { isCheckedOut } from "./submodules.ts";

/**
 * What `git status` says below `subpath`, ignored files left out: the original's meaning of dirty. Null with a
 * reason on any failure: a status that could not be read is not a clean one. `git` runs at `top`. What the caller asks
 * git for anyway, it hands over: `committed` is what HEAD holds below `subpath`, `settings` the answer of
 * `git config -z --get-regexp` with all settings of filters in it.
 */
export async function readDirty(
  git: Git,
  top: string,
  subpath: string,
  committed?: Promise<Known<CommitTree>>,
  settings?: Promise<GitAnswer>,
): Promise<Known<boolean>> {
  const shut = filtersShut(
    await (settings ?? git.run(["config", "-z", "--name-only", "--get-regexp", FILTER_SETTINGS])),
  );
  if (shut.reason !== null) return shut;
  // Left to itself, git runs a second status inside each submodule, with that repository's filters live.
  const status = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=dirty"];
  const answer = await git.run([...status, ...(subpath === "" ? [] : ["--", subpath])], shut.value);
  if (!answer.ok) return absent(answer.reason);
  if (answer.stdout.length > 0) return known(true);
  return anySubmoduleDirty(git, join(top, subpath), await (committed ?? readCommitTree(git, subpath)));
}

/** The work trees of the submodules, each by a status of its own. The commit lists them: the index is equal to it. */
async function anySubmoduleDirty(git: Git, folder: string, tree: Known<CommitTree>): Promise<Known<boolean>> {
  // Nothing committed yet, and nothing there: no submodule either.
  if (tree.reason !== null) return tree.reason === "unborn_branch" ? known(false) : tree;
  for (const { path } of tree.value.submodules) {
    const name = exactTextOf(path);
    if (name === null) return absent("git_failed");
    const place = join(folder, name);
    const dirty = isCheckedOut(place) ? await readDirty(git.within(place), place, "") : known(false);
    if (dirty.value !== false) return dirty;
  }
  return known(false);
}

const FILTER_SETTINGS = String.raw`^filter\.`;

/** Settings that keep status from running the programs of `filter.<driver>.clean` and `.process`. */
function filtersShut(answer: GitAnswer): Known<readonly string[]> {
  // git config exits with 1 when nothing matches.
  if (!answer.ok) return answer.code === 1 ? known([]) : absent(answer.reason);
  const keys = Buffer.from(answer.stdout)
    .toString("latin1")
    .split("\0")
    .map((pair) => pair.split("\n", 1)[0] ?? "");
  const names = new Set(keys.flatMap((key) => /^filter\.(.*)\.[^.]*$/su.exec(key)?.[1] ?? []));
  const shut: string[] = [];
  for (const bytes of names) {
    const name = exactTextOf(Buffer.from(bytes, "latin1"));
    // `-c filter.a=b.clean=` would set `filter.a`, and bytes that are not UTF-8 cannot be passed on: not shut, not run.
    if (name === null || name.includes("=")) return absent("filter_not_disabled");
    shut.push(`filter.${name}.clean=`, `filter.${name}.process=`, `filter.${name}.required=false`);
  }
  return known(shut);
}
