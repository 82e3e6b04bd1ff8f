import { realpathSync } from "node:fs";
import { relative, sep } from "node:path";
import { textOf, type Git } from "./git.ts";
import type { AbsenceReason } from "./known.ts";

/** The work tree around the context, or why the context belongs to none. */
export type WorkTree =
  | {
      readonly ok: true;
      readonly top: string;
      readonly objectFormat: "sha1" | "sha256";
      readonly shallow: boolean;
      /** The context below `top`; "" when it is the top itself. */
      readonly subpath: string;
      /** The repository's own folder, and the one that its linked work trees share; null when git named none. */
      readonly folders: { readonly own: string; readonly common: string } | null;
    }
  | { readonly ok: false; readonly reason: AbsenceReason; readonly detail: string };

/** `git` runs in the context, or in the folder that the caller names as its repository. */
export async function findWorkTree(git: Git, contextRoot: string): Promise<WorkTree> {
  const flags = ["--is-inside-work-tree", "--is-shallow-repository", "--show-object-format"];
  // One process in the usual case. Asked for a top that there is not, it fails, and says nothing about the reason.
  const whole = await git.run(["rev-parse", ...flags, "--show-toplevel", ...FOLDERS]);
  const known = whole.ok ? linesOf(whole.stdout) : [];
  // Other than three paths, one has a line feed in it, or git is too old to know them all.
  const isPlain = known.length === flags.length + 3;
  const wanted = whole.ok ? ["--show-toplevel"] : [];
  const answer = isPlain ? whole : await git.run(["rev-parse", ...flags, ...wanted]);
  if (!answer.ok) return { ok: false, reason: answer.reason, detail: answer.detail };
  const [inside, shallow, format, ...rest] = isPlain ? known.slice(0, -2) : linesOf(answer.stdout);
  const top = inside === "true" && rest.length > 0 ? rest.join("\n") : null;
  if (top === null) {
    const bare = (await git.line(["rev-parse", "--is-bare-repository"])) === "true";
    // Not bare and yet not inside: the repository's core.worktree points somewhere else.
    const gitFolder = (await git.line(["rev-parse", "--is-inside-git-dir"])) === "true";
    return bare || gitFolder
      ? { ok: false, reason: "no_work_tree", detail: "a bare repository or a .git folder" }
      : { ok: false, reason: "worktree_mismatch", detail: "core.worktree points away from the context" };
  }
  const realTop = realpathSync(top);
  const subpath = relative(realTop, contextRoot);
  if (subpath === ".." || subpath.startsWith(`..${sep}`)) {
    return { ok: false, reason: "context_outside_repo", detail: "the context is not inside the work tree" };
  }
  return {
    ok: true,
    top: realTop,
    objectFormat: format === "sha256" ? "sha256" : "sha1",
    shallow: shallow === "true",
    subpath,
    folders: isPlain ? { own: known.at(-2) ?? "", common: known.at(-1) ?? "" } : null,
  };
}

const FOLDERS = ["--path-format=absolute", "--git-dir", "--git-common-dir"];

function linesOf(output: Uint8Array): string[] {
  return textOf(output).replace(/\n$/u, "").split("\n");
}
