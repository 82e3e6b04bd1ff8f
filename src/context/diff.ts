import { isMap } from "../base/decode.ts";
import type { JsonValue } from "../base/json.ts";
import { Git } from "../source/git.ts";
import { compareArchive } from "./archive-comparison.ts";
import { bytePathOf, type BytePath } from "./byte-path.ts";
import { contextRoot } from "./capture-context.ts";
import { inclusionAsCaptured } from "./commit-context.ts";
import type { ObjectFormat } from "./contents.ts";
import { formatOf, identify, readFiles, rulesBeside, type Operand } from "./diff-operand.ts";
import { differenceOfSides, type CommitReading, type Side } from "./diff-sides.ts";
import { DIGEST_NAMES } from "./digest-names.ts";
import type { FolderRules } from "./read-folder.ts";
import type { PathDifference, TreeDifference } from "./tree-difference.ts";
import { gitTreeOf } from "./git-tree.ts";
import { compareSource, type CapturedSource } from "./verify-source.ts";

export type DiffRequest = Omit<FolderRules, "besides" | "includeVcs"> & {
  readonly a: string;
  readonly b: string;
  /** Where commits are looked up. */
  readonly repo: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gitBudgetMs: number;
};

export type DigestPair = {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  readonly equal: boolean;
};
export type FieldPair = { readonly name: string; readonly a: JsonValue; readonly b: JsonValue };

export type Compared = {
  readonly a: Operand;
  readonly b: Operand;
  /** Paths or digests that were held against each other. */
  readonly checked: number;
  readonly differences: readonly PathDifference[];
  /** Where a side is a capture: it has digests and no list of files. */
  readonly digests: readonly DigestPair[];
  /**
   * Of two captures: what they say differently of where the source comes from, and of the machines (`volatile.…`),
   * which may be why one commit has two hashes. No difference of the content.
   */
  readonly fields: readonly FieldPair[];
  /** Submodules, whose files a commit does not name, and what gave way in an archive to a build file. */
  readonly notCompared: readonly BytePath[];
};

/** Throws Failure: `path_not_found`, `input_invalid`, `archive_malformed`, `ignore_file_invalid`, `nothing_checked`. */
export async function compareOperands(request: DiffRequest, stop: AbortSignal): Promise<Compared> {
  const { cwd, env } = request;
  const program = Git.find(env);
  const repo = contextRoot(cwd, request.repo, "the repository");
  const git = program === null ? null : new Git(program, repo, env, request.gitBudgetMs, stop);
  const [a, b] = [await identify(request.a, cwd, git), await identify(request.b, cwd, git)];
  const format = formatOf(a) ?? formatOf(b);
  const { dockerfile, ignoreFile, noIgnore } = request;
  const rules = { cwd, dockerfile, ignoreFile, noIgnore, includeVcs: false, besides: [] };
  const reading = { git, noIgnore };
  const left = await sideOf(a, format, rulesBeside(b, a, rules), stop);
  const right = await sideOf(b, format, rulesBeside(a, b, rules), stop);
  if (a.kind !== "capture" && b.kind !== "capture") {
    const difference = await differenceOfSides(left, right, reading);
    return { a, b, ...(difference ?? NOTHING), digests: [], fields: [] };
  }
  const digests = await digestPairs(left, right, reading);
  const fields = a.kind === "capture" && b.kind === "capture" ? fieldPairs(a.document, b.document) : [];
  const same = digests.every(({ equal }) => equal);
  const named = same ? null : await differenceOfSides(left, right, reading);
  return { a, b, ...(named ?? NOTHING), checked: digests.length, digests, fields };
}

const NOTHING: TreeDifference = { checked: 0, differences: [], notCompared: [] };

async function sideOf(
  operand: Operand,
  format: ObjectFormat | null,
  rules: FolderRules,
  stop: AbortSignal,
): Promise<Side> {
  const listed = operand.kind === "commit" || operand.kind === "capture";
  return { operand, files: listed ? null : await readFiles(operand, format, rules, stop) };
}

/** At least one side is a capture; its digests are held against what the other one has, or what it comes to. */
async function digestPairs(left: Side, right: Side, reading: CommitReading): Promise<DigestPair[]> {
  const { operand: a } = left;
  if (a.kind === "capture") return pairsOf(a.captured, right, reading);
  const { operand: b } = right;
  const swapped = b.kind === "capture" ? await pairsOf(b.captured, left, reading) : [];
  return swapped.map((pair) => ({ ...pair, a: pair.b, b: pair.a }));
}

async function pairsOf(
  captured: CapturedSource,
  { operand, files }: Side,
  reading: CommitReading,
): Promise<DigestPair[]> {
  if (operand.kind === "capture") return pairs(captured, operand.captured.digests);
  if (operand.kind === "commit") {
    return pairs(captured, { git_tree: await treeInContext(captured, operand, reading) });
  }
  const found = { items: files?.items ?? [], tarSha256: files?.tarSha256 ?? null };
  const { git_tree: tree, ...digests } = captured.digests;
  // A manifest that was written outside of a work tree knows no blob ids.
  const known = tree !== undefined && found.items.values().every(({ content }) => content.blob !== null);
  const comparable = { ...captured, digests: known ? captured.digests : digests };
  const { equal, different } =
    operand.kind === "archive" ? compareArchive(comparable, found) : compareSource(comparable, found);
  return [
    ...equal.map(({ name, value }) => ({ name, a: value, b: value, equal: true })),
    ...different.map(({ name, wanted, found: other }) => ({ name, a: wanted, b: other, equal: false })),
  ];
}

/** The git tree of a commit's files without those that the capture's ignore file leaves out. */
async function treeInContext(
  captured: CapturedSource,
  { tree, committed }: Extract<Operand, { kind: "commit" }>,
  { git, noIgnore }: CommitReading,
): Promise<string> {
  // Of a submodule's files a commit says nothing.
  if (noIgnore || git === null || committed.submodules.length > 0) return tree;
  const included = await inclusionAsCaptured(captured, committed, git);
  if (included === null) return tree;
  const kept = committed.entries
    .map(({ path, mode, id }) => ({ path: bytePathOf(path), mode, id: Buffer.from(id, "hex") }))
    .filter(({ path }) => included(path));
  return gitTreeOf(kept, tree.length === 40 ? "sha1" : "sha256");
}

function pairs(captured: CapturedSource, other: Readonly<Record<string, string | undefined>>): DigestPair[] {
  return DIGEST_NAMES.flatMap((name) => {
    const [a, b] = [captured.digests[name], other[name]];
    return a === undefined || b === undefined ? [] : [{ name, a, b, equal: a === b }];
  });
}

function fieldPairs(a: JsonValue, b: JsonValue): FieldPair[] {
  const [left, right] = [fieldsIn(a), fieldsIn(b)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.flatMap((name) => {
    const [one, other] = [left[name] ?? null, right[name] ?? null];
    return one === other || name === "working_tree_hash" ? [] : [{ name, a: one, b: other }];
  });
}

function fieldsIn(document: JsonValue): Readonly<Record<string, JsonValue>> {
  if (!isMap(document)) return {};
  const { source_fields: fields, volatile: machine } = document;
  const facts = isMap(machine)
    ? Object.entries(machine).map(([name, value]) => [`volatile.${name}`, value] as const)
    : [];
  return { ...(isMap(fields) ? fields : {}), ...Object.fromEntries(facts) };
}
