import { closeSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import { isSha256 } from "../base/digest.ts";
import { fromHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, readBounded, reason } from "../host/files.ts";
import { CommitTree } from "../source/commit-tree.ts";
import type { Git } from "../source/git.ts";
import { compressionOf } from "./archive.ts";
import type { ContextCapture } from "./capture-context.ts";
import type { ObjectFormat } from "./contents.ts";
import type { ManifestEntry } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";
import type { TreeItem, TreeItems } from "./tree-digests.ts";
import { readArchiveSource } from "./read-archive.ts";
import { readFolder, rulesOfCapture, type FolderRules } from "./read-folder.ts";
import { capturedSource, objectFormatOf, type CapturedSource } from "./verify-source.ts";

/** One side of a comparison, by what it is; nothing of its files is read yet. */
export type Operand = { readonly name: string } & (
  | { readonly kind: "folder" | "archive"; readonly place: string }
  | { readonly kind: "manifest"; readonly entries: readonly ManifestEntry[] }
  | { readonly kind: "capture"; readonly captured: CapturedSource; readonly document: JsonValue }
  | {
      readonly kind: "commit";
      /** The id of the tree. */
      readonly tree: string;
      readonly committed: CommitTree;
    }
);

/** The files of a folder, an archive or a manifest. */
export type Files = {
  readonly items: TreeItems;
  readonly tarSha256: string | null;
  readonly context: ContextCapture | null;
};

/**
 * What an argument names: a folder, a file by its content, else a commit of the repository as `git:REV`, `REV:path`
 * or `REV`. `git` runs in the repository; null without git. Throws Failure `path_not_found`.
 */
export async function identify(name: string, cwd: string, git: Git | null): Promise<Operand> {
  const place = resolve(cwd, name);
  const status = name.startsWith("git:") ? null : statusAt(name, place);
  if (status?.isDirectory() === true) return { name, kind: "folder", place };
  if (status?.isFile() === true) return fromFile(name, place);
  const commit = git === null ? null : await fromRevision(name, git);
  if (commit !== null) return commit;
  throw new Failure(
    "path_not_found",
    `${quoted(name)} is no file, no folder and no commit of this repository`,
    {
      hint: "commits are git:REV or REV:path, and --repo names their repository",
    },
  );
}

/** Null where nothing is: the name may be a commit's. Throws Failure `file_unreadable` where one may not look. */
function statusAt(name: string, place: string): Stats | null {
  try {
    return statSync(place);
  } catch (error) {
    if (errorCode(error) !== "EACCES") return null;
    throw new Failure("file_unreadable", `${quoted(name)} cannot be read: ${reason(error)}`);
  }
}

function fromFile(name: string, place: string): Operand {
  if (compressionOf(place) !== null) return { name, kind: "archive", place };
  if (!firstLineIsManifest(place)) {
    const what = quoted(name);
    const bytes = readBounded(place, LIMITS.documentBytes, "capture", "input_invalid");
    const document = parseJson(bytes, { what, code: "input_invalid" });
    return { name, kind: "capture", captured: capturedSource(document, what), document };
  }
  return { name, kind: "manifest", entries: readManifest(place) };
}

/** A manifest's first line is an entry; a capture document has its schema there. An empty file lists nothing. */
function firstLineIsManifest(place: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(place, "r");
  } catch (error) {
    throw new Failure("file_unreadable", `${quoted(place)} cannot be read: ${reason(error)}`);
  }
  try {
    const start = Buffer.alloc(64);
    const text = start.toString("latin1", 0, readSync(descriptor, start));
    return text === "" || text.startsWith('{"path":');
  } finally {
    closeSync(descriptor);
  }
}

/** Prints an id. What names it may begin with a dash only behind the last of these. */
const RESOLVE = ["rev-parse", "--verify", "--quiet", "--end-of-options"];

async function fromRevision(name: string, git: Git): Promise<Operand | null> {
  const revision = name.startsWith("git:") ? name.slice("git:".length) : name;
  const tree = await git.line([...RESOLVE, `${revision}${revision.includes(":") ? "" : "^{tree}"}`]);
  if (tree === null) return null;
  const found = await treeOperand(name, tree, git);
  if (found !== null) return found;
  throw new Failure("path_not_found", `${quoted(name)} is no folder of a commit`, {
    hint: "name a folder: REV:path",
  });
}

/** A tree of the repository by its id or as `COMMIT:path`, or null when it is not here. */
export async function treeOperand(name: string, named: string, git: Git): Promise<Operand | null> {
  const tree = await git.line([...RESOLVE, named]);
  if (tree === null) return null;
  const answer = await git.run(["ls-tree", "-r", "-z", "--full-tree", tree]);
  return answer.ok ? { name, kind: "commit", tree, committed: new CommitTree(answer.stdout) } : null;
}

/** The blob ids to compute, so that both sides have the same: those that the other side has already. */
export function formatOf(operand: Operand): ObjectFormat | null {
  if (operand.kind === "commit") return operand.tree.length === 40 ? "sha1" : "sha256";
  if (operand.kind === "capture") return objectFormatOf(operand.captured);
  return null;
}

/** The rules for a folder beside `other`: what a capture was made with, unless the caller says otherwise. */
export function rulesBeside(other: Operand, folder: Operand, rules: FolderRules): FolderRules {
  const besides = [...rules.besides, resolve(rules.cwd, other.name)];
  const beside = { ...rules, besides };
  return other.kind === "capture" && folder.kind === "folder"
    ? rulesOfCapture(folder.place, other.captured, beside)
    : beside;
}

/** Throws Failure when it cannot be read whole: then nothing can be said about it. */
export async function readFiles(
  operand: Extract<Operand, { kind: "folder" | "archive" | "manifest" }>,
  format: ObjectFormat | null,
  rules: FolderRules,
  stop: AbortSignal,
): Promise<Files> {
  if (operand.kind === "manifest") {
    // The digests want the order of the paths, and a list may have been put together by hand.
    const items = operand.entries.map(itemOf).sort((a, b) => (a.path < b.path ? -1 : 1));
    return { items, tarSha256: null, context: null };
  }
  if (operand.kind === "archive") {
    return { ...(await readArchiveSource(operand.place, format, stop)), context: null };
  }
  return readFolder(operand.place, quoted(operand.name), rules, format, stop);
}

function itemOf({ path, mode, size, sha256, blob }: ManifestEntry): TreeItem {
  if (!isSha256(sha256)) throw new RangeError("a manifest entry without a digest");
  const content = { sha256, blob: blob === null ? null : fromHex(blob), size, executable: mode === "100755" };
  return { path, kind: mode === "120000" ? "symlink" : "file", content };
}
