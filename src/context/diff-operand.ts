import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { isSha256 } from "../base/digest.ts";
import { fromHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded, reason } from "../host/files.ts";
import { CommitTree } from "../source/commit-tree.ts";
import type { Git } from "../source/git.ts";
import { compressionOf } from "./archive.ts";
import { captureContext, type ContextCapture } from "./capture-context.ts";
import type { ObjectFormat } from "./contents.ts";
import type { ManifestEntry } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";
import type { TreeItem } from "./tree-digests.ts";
import { readArchiveSource } from "./verify-source-archive.ts";
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
  readonly items: readonly TreeItem[];
  readonly tarSha256: string | null;
  readonly context: ContextCapture | null;
};

/**
 * What an argument names: a folder, a file by its content, else a commit of the repository as `git:REV`, `REV:path`
 * or `REV`. `git` runs in the repository; null without git. Throws Failure `path_not_found`.
 */
export async function identify(name: string, cwd: string, git: Git | null): Promise<Operand> {
  const place = resolve(cwd, name);
  const status = name.startsWith("git:") ? undefined : statSync(place, { throwIfNoEntry: false });
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

async function fromRevision(name: string, git: Git): Promise<Operand | null> {
  const revision = name.startsWith("git:") ? name.slice("git:".length) : name;
  // A revision may begin with a dash only behind this.
  const resolved = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
  const tree = await git.line([...resolved, `${revision}${revision.includes(":") ? "" : "^{tree}"}`]);
  if (tree === null) return null;
  const found = await treeOperand(name, tree, git);
  if (found !== null) return found;
  throw new Failure("path_not_found", `${quoted(name)} is no folder of a commit`, {
    hint: "name a folder: REV:path",
  });
}

/** A tree of the repository by its id, or null when it is not here. */
export async function treeOperand(name: string, tree: string, git: Git): Promise<Operand | null> {
  const answer = await git.run(["ls-tree", "-r", "-z", "--full-tree", tree]);
  return answer.ok ? { name, kind: "commit", tree, committed: new CommitTree(answer.stdout) } : null;
}

/** The blob ids to compute, so that both sides have the same: those that the other side has already. */
export function formatOf(operand: Operand): ObjectFormat | null {
  if (operand.kind === "commit") return operand.tree.length === 40 ? "sha1" : "sha256";
  if (operand.kind === "capture") return objectFormatOf(operand.captured);
  return null;
}

/** Which files belong to a folder. */
export type FolderRules = {
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
  /** Absolute paths that are no part of it, such as the other side's own file. */
  readonly besides: readonly string[];
};

/** The rules for a folder beside `other`: what a capture was made with, unless the caller says otherwise. */
export function rulesBeside(other: Operand, folder: Operand, rules: FolderRules): FolderRules {
  const besides = [...rules.besides, resolve(rules.cwd, other.name)];
  if (other.kind !== "capture" || folder.kind !== "folder") return { ...rules, besides };
  const { dockerfile, ignoreFile, ownOutputs } = other.captured;
  const chosen = rules.noIgnore || rules.ignoreFile !== undefined;
  return {
    cwd: rules.cwd,
    dockerfile: rules.dockerfile ?? placeIn(folder.place, dockerfile),
    ignoreFile: chosen ? rules.ignoreFile : placeIn(folder.place, ignoreFile),
    noIgnore: chosen ? rules.noIgnore : ignoreFile === null,
    besides: [...besides, ...ownOutputs.map((path) => join(folder.place, path))],
  };
}

/** A file that the capture names by its place in the context; one outside of it was on another machine. */
function placeIn(root: string, path: string | null): string | undefined {
  if (path === null || isAbsolute(path)) return undefined;
  const place = join(root, Buffer.from(path, "latin1").toString("utf8"));
  return existsSync(place) ? place : undefined;
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
  const context = await captureContext(
    {
      cwd: rules.cwd,
      dockerfile: rules.dockerfile,
      ignoreFile: rules.ignoreFile,
      noIgnore: rules.noIgnore,
      context: operand.place,
      includeVcs: false,
      archive: null,
      outputs: rules.besides,
      objectFormat: format,
    },
    stop,
  );
  if (context.items !== null) return { items: context.items, tarSha256: null, context };
  const { problem } = context;
  const invalid = problem?.code === "ignore_file_invalid";
  throw new Failure(
    invalid ? "ignore_file_invalid" : problem?.code === "unstable" ? "file_changed" : "nothing_checked",
    `${quoted(operand.name)} cannot be read: ${problem?.message ?? "unknown"}`,
  );
}

function itemOf({ path, mode, size, sha256, blob }: ManifestEntry): TreeItem {
  if (!isSha256(sha256)) throw new RangeError("a manifest entry without a digest");
  const content = { sha256, blob: blob === null ? null : fromHex(blob), size, executable: mode === "100755" };
  return { path, kind: mode === "120000" ? "symlink" : "file", content };
}
