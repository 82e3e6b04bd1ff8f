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

/** What a commit holds below a folder, as git listed it and in git's order; taken apart when somebody asks. */
export class CommitTree implements Iterable<TreeEntry> {
  readonly #listing: Buffer;
  #entries: readonly TreeEntry[] | null = null;

  /** `listing` is what `git ls-tree -r -z` printed. */
  constructor(listing: Uint8Array) {
    this.#listing = Buffer.from(listing.buffer, listing.byteOffset, listing.byteLength);
  }

  get entries(): readonly TreeEntry[] {
    this.#entries ??= [...this];
    return this.#entries;
  }

  /** One at a time: 80,000 of them at once would take 100 MB. */
  [Symbol.iterator](): Generator<TreeEntry, undefined> {
    return parseTree(this.#listing);
  }

  /** Without reading the rest: most trees have none, and many entries. */
  get submodules(): readonly TreeEntry[] {
    const found: TreeEntry[] = [];
    for (let at = this.#listing.indexOf(LINK); at !== -1; at = this.#listing.indexOf(LINK, at + 1)) {
      // The same letters may stand in a name; an entry begins the list, or follows the end of another.
      if (at > 0 && this.#listing[at - 1] !== 0) continue;
      const end = this.#listing.indexOf(0, at);
      found.push(...parseTree(this.#listing.subarray(at, end + 1)));
    }
    return found;
  }
}

const LINK = Buffer.from(`${SUBMODULE} commit `);

/** Everything that HEAD holds below `subpath` ("" for the top); `git` runs at the top of the work tree. */
export async function readCommitTree(git: Git, subpath: string): Promise<Known<CommitTree>> {
  const at = subpath === "" ? "HEAD" : `HEAD:${subpath}`;
  const answer = await git.run(["ls-tree", "-r", "-z", "--full-tree", at]);
  if (answer.ok) return known(new CommitTree(answer.stdout));
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
    : known(new CommitTree(new Uint8Array()));
}

/** `mode SP type SP id TAB path NUL` entries; paths stay bytes. */
function* parseTree(bytes: Buffer): Generator<TreeEntry, undefined> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const tab = bytes.indexOf(9, at);
    const [mode = "", type = "", id = ""] = bytes.toString("latin1", at, tab).split(" ");
    yield { mode, type, id, path: bytes.subarray(tab + 1, end) };
    at = end + 1;
  }
}
