import { textOf, type Git } from "./git.ts";
import { absent, known, type Known } from "./known.ts";

/** One blob, link or submodule of a commit's tree; the path is below the context, in bytes. */
export type TreeEntry = {
  readonly mode: string;
  readonly type: string;
  readonly id: string;
  readonly path: Buffer;
};

const SUBMODULE = "160000";

export function isSubmodule(entry: Pick<TreeEntry, "mode">): boolean {
  return entry.mode === SUBMODULE;
}

/** Everything that HEAD holds below `subpath` ("" for the top); `git` runs at the top of the work tree. */
export async function readCommitTree(git: Git, subpath: string): Promise<Known<readonly TreeEntry[]>> {
  const at = subpath === "" ? "HEAD" : `HEAD:${subpath}`;
  const answer = await git.run(["ls-tree", "-r", "-z", "--full-tree", at]);
  if (answer.ok) return known(parseTree(answer.stdout));
  if (answer.reason !== "git_failed") return absent(answer.reason);
  const head = await git.run(["rev-parse", "--verify", "--quiet", "HEAD"]);
  if (!head.ok) return absent(head.code === 1 ? "unborn_branch" : head.reason);
  if (subpath === "") return absent("git_failed");
  // Not a folder of HEAD, but perhaps added to the index just now; then the commit is still where it comes from.
  const staged = await git.run(["ls-files", "--stage", "-z", "--", subpath]);
  if (!staged.ok) return absent(staged.reason);
  const entries = textOf(staged.stdout);
  if (entries === "") return absent("context_not_tracked");
  // The commit names another repository's commit here, and that repository was never checked out.
  return entries.startsWith(`${SUBMODULE} `) && entries.endsWith(`\t${subpath}\0`)
    ? absent("submodule_not_initialised")
    : known([]);
}

/** `mode SP type SP id TAB path NUL` entries; paths stay bytes. */
export function parseTree(output: Uint8Array): TreeEntry[] {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const entries: TreeEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const tab = bytes.indexOf(9, at);
    const [mode = "", type = "", id = ""] = bytes.toString("latin1", at, tab).split(" ");
    entries.push({ mode, type, id, path: bytes.subarray(tab + 1, end) });
    at = end + 1;
  }
  return entries;
}
