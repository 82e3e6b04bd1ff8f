import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import type { ObjectFormat } from "./contents.ts";
import { DIGEST_NAMES, type DigestName } from "./digest-names.ts";
import { gitTree } from "./git-tree.ts";
import { dirHash, workingTreeHash, type DigestResult, type TreeItems } from "./tree-digests.ts";

/** What a capture document says about its context, as far as a source can be held against it. */
export type CapturedSource = {
  readonly digests: Readonly<Partial<Record<DigestName, string>>>;
  readonly counts: {
    readonly files: number | null;
    readonly symlinks: number | null;
    readonly bytes: number | null;
  };
  readonly dockerfile: string | null;
  readonly ignoreFile: string | null;
  readonly commit: string | null;
  /** The context below the top of the work tree; null at the top. */
  readonly subpath: string | null;
  /** Whether the captured bytes were exactly the commit's. */
  readonly matchesCommit: boolean;
  /** Files inside the context that the capturing run wrote itself, and left out. */
  readonly ownOutputs: readonly string[];
  /** Files of the tree that an archive of it lacks: a build file of another place has their name there. */
  readonly displaced: readonly string[];
};

/** Throws Failure `input_invalid` for what is no capture document. */
export function capturedSource(document: JsonValue, from: string): CapturedSource {
  if (!isMap(document) || document["schema"] !== "waybill.capture/v1" || !isMap(document["digests"]))
    throw new Failure("input_invalid", `${from} is not a capture document`, {
      hint: "write one with: waybill capture --json --out FILE",
    });
  const digests: Partial<Record<DigestName, string>> = {};
  for (const name of DIGEST_NAMES) {
    const value = document["digests"][name];
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" || !OBJECT_ID.test(value))
      throw new Failure("input_invalid", `${from} has a ${name} that is no digest`);
    digests[name] = value;
  }
  const context = mapIn(document, "context");
  return {
    digests,
    counts: {
      files: numberIn(context, "files"),
      symlinks: numberIn(context, "symlinks"),
      bytes: numberIn(context, "bytes"),
    },
    dockerfile: textIn(context, "dockerfile"),
    ignoreFile: textIn(context, "ignore_file"),
    commit: commitIn(mapIn(document, "source_fields")),
    subpath: textIn(mapIn(document, "source_fields"), "source_subpath"),
    matchesCommit: document["matches_commit"] === true,
    ownOutputs: textsIn(context, "own_outputs"),
    displaced: textsIn(context, "displaced"),
  };
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;

/** Null for what is none: it is told, and asked of git. */
function commitIn(fields: JsonMap): string | null {
  const commit = fields["source_commit"];
  return typeof commit === "string" && OBJECT_ID.test(commit) ? commit : null;
}

function mapIn(map: JsonMap, name: string): JsonMap {
  const value = map[name];
  return isMap(value) ? value : {};
}

function textIn(map: JsonMap, name: string): string | null {
  const value = map[name];
  return typeof value === "string" ? value : null;
}

function textsIn(map: JsonMap, name: string): string[] {
  const value = map[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function numberIn(map: JsonMap, name: string): number | null {
  const value = map[name];
  return typeof value === "number" ? value : null;
}

/** The object format that a captured git tree is named in; a folder without git can be hashed in it all the same. */
export function objectFormatOf(captured: CapturedSource): ObjectFormat | null {
  const tree = captured.digests.git_tree;
  return tree === undefined ? null : tree.length === 40 ? "sha1" : "sha256";
}

/** What was read of a source. */
export type FoundSource = {
  readonly items: TreeItems;
  /** Of the uncompressed archive; null for a folder, which has none. */
  readonly tarSha256: string | null;
};

export type SourceComparison = {
  readonly equal: readonly { readonly name: DigestName; readonly value: string }[];
  readonly different: readonly {
    readonly name: DigestName;
    readonly wanted: string;
    readonly found: string;
  }[];
  /** Captured, and not to be had from this kind of source. */
  readonly notCompared: readonly DigestName[];
  /** Counts that differ, as `files 12, captured 11`. */
  readonly counts: readonly string[];
};

/** Holds a source against every digest of the capture that can be computed from it. */
export function compareSource(captured: CapturedSource, found: FoundSource): SourceComparison {
  const equal: { name: DigestName; value: string }[] = [];
  const different: { name: DigestName; wanted: string; found: string }[] = [];
  const notCompared: DigestName[] = [];
  for (const name of DIGEST_NAMES) {
    const wanted = captured.digests[name];
    if (wanted === undefined) continue;
    const digest = digestOf(name, captured, found);
    if (digest === null) notCompared.push(name);
    else if (digest.value === wanted) equal.push({ name, value: wanted });
    else different.push({ name, wanted, found: digest.value ?? `none (${digest.reason})` });
  }
  return { equal, different, notCompared, counts: differentCounts(captured, found.items) };
}

/** Null when this kind of source has no such digest. */
function digestOf(name: DigestName, captured: CapturedSource, found: FoundSource): DigestResult | null {
  if (name === "working_tree_hash") return workingTreeHash(found.items);
  if (name === "dir_hash") return dirHash(found.items);
  if (name === "tar_sha256")
    return found.tarSha256 === null ? null : { value: found.tarSha256, reason: null };
  const format = objectFormatOf(captured);
  return format === null ? null : { value: gitTree(found.items, format), reason: null };
}

function differentCounts({ counts }: CapturedSource, items: TreeItems): string[] {
  const found = { files: 0, symlinks: 0, bytes: 0 };
  for (const { kind, content } of items) {
    found[kind === "file" ? "files" : "symlinks"]++;
    if (kind === "file") found.bytes += content.size;
  }
  return (["files", "symlinks", "bytes"] as const).flatMap((name) =>
    counts[name] === null || counts[name] === found[name]
      ? []
      : [`${name} ${found[name]}, captured ${counts[name]}`],
  );
}
