import { join } from "node:path";
import { exactTextOf } from "../base/encoding.ts";
import { readCommitTree, type CommitTree } from "./commit-tree.ts";
import type { Git, GitAnswer } from "./git.ts";
import { absent, known, type Known } from "./known.ts";
import { isCheckedOut } from "./submodules.ts";

/** What the caller of `readDirty` asks git for anyway. */
export type Beside = {
  /** The answer of `git config -z --get-regexp`, with all settings of filters in it. */
  readonly settings: Promise<GitAnswer>;
  /** Whether the files on the disk below `subpath` are others than those that HEAD holds there. */
  readonly differs: Promise<boolean>;
  /** Patterns of git's ignore files for what this run itself writes meanwhile. */
  readonly own: readonly string[];
  /** What HEAD holds there; null when nothing differs. */
  readonly committed: Promise<Known<CommitTree | null>>;
};

/**
 * What `git status` says below `subpath`, ignored files left out: the original's meaning of dirty. Null with a
 * reason on any failure: a status that could not be read is not a clean one. `git` runs at `top`.
 */
export async function readDirty(
  git: Git,
  top: string,
  subpath: string,
  beside: Beside | null = null,
): Promise<Known<boolean>> {
  const shut = filtersShut(
    await (beside?.settings ?? git.run(["config", "-z", "--name-only", "--get-regexp", FILTER_SETTINGS])),
  );
  if (shut.reason !== null) return shut;
  const below = subpath === "" ? [] : ["--", subpath];
  // To look for untracked files takes longer than all else: where nothing differs there is none.
  const among = beside === null ? "all" : "no";
  // Left to itself, git runs a second status inside each submodule, with that repository's filters live.
  const status = [
    "status",
    "--porcelain=v2",
    "-z",
    `--untracked-files=${among}`,
    "--ignore-submodules=dirty",
  ];
  let isDirty = false;
  const [changes, untracked] = await Promise.all([
    git.run([...status, ...below], shut.value).then((answer) => {
      isDirty = answer.ok && answer.stdout.length > 0;
      return answer;
    }),
    beside?.differs.then(async (differs) =>
      differs && !isDirty ? git.run([...LIST_UNTRACKED, ...beside.own.map(excluded), ...below]) : null,
    ),
  ]);
  for (const answer of [changes, untracked ?? null]) {
    if (answer?.ok === false) return absent(answer.reason);
    if (answer !== null && answer.stdout.length > 0) return known(true);
  }
  return anySubmoduleDirty(
    git,
    join(top, subpath),
    await (beside?.committed ?? readCommitTree(git, subpath)),
  );
}

/** The work trees of the submodules, each by a status of its own. The commit lists them: the index is equal to it. */
async function anySubmoduleDirty(
  git: Git,
  folder: string,
  tree: Known<CommitTree | null>,
): Promise<Known<boolean>> {
  // Nothing committed yet, and nothing there: no submodule either.
  if (tree.reason !== null) return tree.reason === "unborn_branch" ? known(false) : tree;
  for (const { path } of tree.value?.submodules ?? []) {
    const name = exactTextOf(path);
    if (name === null) return absent("git_failed");
    const place = join(folder, name);
    const dirty = isCheckedOut(place) ? await readDirty(git.within(place), place, "") : known(false);
    if (dirty.value !== false) return dirty;
  }
  return known(false);
}

const LIST_UNTRACKED = ["ls-files", "-z", "--others", "--exclude-standard"];

function excluded(pattern: string): string {
  return `--exclude=${pattern}`;
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
