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
  *[Symbol.iterator](): Generator<TreeEntry, undefined> {
    const reader = this.read();
    for (let entry = reader.next; entry !== null; entry = reader.next) {
      yield entry;
      reader.skip();
    }
  }

  /** From its begin. */
  read(): ListingReader {
    return new ListingReader(this.#listing);
  }

  /** Without reading the rest: most trees have none, and many entries. */
  get submodules(): readonly TreeEntry[] {
    const found: TreeEntry[] = [];
    for (let at = this.#listing.indexOf(LINK); at !== -1; at = this.#listing.indexOf(LINK, at + 1)) {
      // The same letters may stand in a name; an entry begins the list, or follows the end of another.
      if (at > 0 && this.#listing[at - 1] !== 0) continue;
      const end = this.#listing.indexOf(0, at);
      found.push(...new CommitTree(this.#listing.subarray(at, end + 1)));
    }
    return found;
  }
}

const LINK = Buffer.from(`${SUBMODULE} commit `);

/** Everything that HEAD holds below `subpath` ("" for the top); `git` runs at the top of the work tree. */
export async function readCommitTree(git: Git, subpath: string): Promise<Known<CommitTree>> {
  // The slash keeps git from reading the end of a name, such as `-g1234567`, as that of another commit.
  const at = subpath === "" ? "HEAD" : `HEAD:${subpath}/`;
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

/** Reads `mode SP type SP id TAB path NUL` entries, one after the other; paths stay bytes. */
export class ListingReader {
  readonly #bytes: Buffer;
  #at = 0;
  #next: TreeEntry | null = null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next entry, until it is skipped; null at the end. */
  get next(): TreeEntry | null {
    if (this.#next !== null || this.#at >= this.#bytes.length) return this.#next;
    const tab = this.#bytes.indexOf(TAB, this.#at);
    const [mode = "", type = "", id = ""] = this.#bytes.toString("latin1", this.#at, tab).split(" ");
    return (this.#next = { mode, type, id, path: this.#bytes.subarray(tab + 1, this.#end()) });
  }

  skip(): void {
    this.#at = this.#end() + 1;
    this.#next = null;
  }

  /**
   * Skips the next entry if it is this blob or link; the path is latin1, and the first bytes of `id` are the id. Byte
   * by byte: objects and strings for each of 80,000 entries are 70 MB.
   */
  skipIf(mode: string, path: string, id: Uint8Array, idBytes: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let letter = 0; letter < mode.length; letter++) {
      if (bytes[at++] !== mode.charCodeAt(letter)) return false;
    }
    for (const byte of BLOB) if (bytes[at++] !== byte) return false;
    for (let index = 0; index < idBytes; index++) {
      const byte = id[index] ?? 0;
      if (bytes[at++] !== HEX_DIGITS[byte >> 4] || bytes[at++] !== HEX_DIGITS[byte & 15]) return false;
    }
    if (bytes[at++] !== TAB) return false;
    for (let letter = 0; letter < path.length; letter++) {
      if (bytes[at++] !== path.charCodeAt(letter)) return false;
    }
    if (bytes[at] !== 0) return false;
    this.#at = at + 1;
    this.#next = null;
    return true;
  }

  #end(): number {
    const end = this.#bytes.indexOf(0, this.#at);
    return end === -1 ? this.#bytes.length : end;
  }
}

const TAB = 9;
const BLOB = Buffer.from(" blob ");
const HEX_DIGITS = Buffer.from("0123456789abcdef");
