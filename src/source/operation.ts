import { join } from "node:path";
import { LIMITS } from "../base/limits.ts";
import { readBounded } from "../host/files.ts";
import { mayExist } from "./repository-search.ts";

/** What git is in the middle of. HEAD is then often no commit that anybody meant to build. */
export type Operation = {
  readonly kind: "rebase" | "apply" | "merge" | "cherry_pick" | "revert" | "bisect";
  /** The branch that is being rebased or bisected, by its short name, when git left a note. */
  readonly branch: string | null;
};

const MARKS: readonly {
  readonly mark: string;
  readonly kind: Operation["kind"];
  readonly note?: string;
}[] = [
  { mark: "rebase-merge", kind: "rebase", note: "rebase-merge/head-name" },
  { mark: "rebase-apply/applying", kind: "apply" },
  { mark: "rebase-apply", kind: "rebase", note: "rebase-apply/head-name" },
  { mark: "MERGE_HEAD", kind: "merge" },
  { mark: "CHERRY_PICK_HEAD", kind: "cherry_pick" },
  { mark: "REVERT_HEAD", kind: "revert" },
  { mark: "BISECT_LOG", kind: "bisect", note: "BISECT_START" },
];

/** By the marks that git leaves in the git folder of the work tree: `git status` reads the same ones. */
export function readOperation(gitFolder: string): Operation | null {
  for (const { mark, kind, note } of MARKS) {
    if (!mayExist(join(gitFolder, mark))) continue;
    return { kind, branch: note === undefined ? null : noted(join(gitFolder, note)) };
  }
  return null;
}

function noted(place: string): string | null {
  try {
    const text = new TextDecoder().decode(readBounded(place, LIMITS.refFileBytes, "git's note")).trim();
    const name = text.replace(/^refs\/heads\//u, "");
    // A rebase of a detached HEAD notes these words, a bisect of one the commit.
    return name === "" || name === "detached HEAD" || /^[0-9a-f]{40,64}$/u.test(name) ? null : name;
  } catch {
    return null;
  }
}
