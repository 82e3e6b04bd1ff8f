import { isMap } from "../base/decode.ts";
import type { JsonValue } from "../base/json.ts";
import { Git } from "../source/git.ts";
import { patternText, type BytePath } from "./byte-path.ts";
import { contextRoot } from "./capture-context.ts";
import {
  formatOf,
  identify,
  readFiles,
  rulesBeside,
  treeOperand,
  type Files,
  type Operand,
} from "./diff-operand.ts";
import type { ObjectFormat } from "./contents.ts";
import { DIGEST_NAMES } from "./digest-names.ts";
import { compileIgnore } from "./ignore.ts";
import {
  differenceOf,
  leavesOfCommit,
  leavesOfItems,
  type Leaf,
  type PathDifference,
  type TreeDifference,
} from "./tree-difference.ts";
import { withoutTravelling } from "./read-archive.ts";
import type { FolderRules } from "./read-folder.ts";
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
  /** Submodules, whose files a commit does not name. */
  readonly notCompared: readonly BytePath[];
};

/** Throws Failure: `path_not_found`, `input_invalid`, `archive_malformed`, `ignore_file_invalid`, `nothing_checked`. */
export async function compareOperands(request: DiffRequest, stop: AbortSignal): Promise<Compared> {
  const { cwd, env } = request;
  const program = Git.find(env);
  const repo = contextRoot(cwd, request.repo);
  const git = program === null ? null : new Git(program, repo, env, request.gitBudgetMs, stop);
  const [a, b] = [await identify(request.a, cwd, git), await identify(request.b, cwd, git)];
  const format = formatOf(a) ?? formatOf(b);
  const { dockerfile, ignoreFile, noIgnore } = request;
  const rules = { cwd, dockerfile, ignoreFile, noIgnore, includeVcs: false, besides: [] };
  const left = await sideOf(a, format, rulesBeside(b, a, rules), stop);
  const right = await sideOf(b, format, rulesBeside(a, b, rules), stop);
  if (a.kind !== "capture" && b.kind !== "capture") {
    const difference = differenceOf(leavesOf(left, right), leavesOf(right, left));
    return { a, b, ...difference, digests: [], fields: [] };
  }
  const digests = digestPairs(left, right);
  const fields = a.kind === "capture" && b.kind === "capture" ? fieldPairs(a.document, b.document) : [];
  const none = { differences: [], notCompared: [] };
  const named = digests.every(({ equal }) => equal) ? none : await nameFiles(left, right, git);
  return { a, b, ...(named ?? none), checked: digests.length, digests, fields };
}

/** A capture lists no files, but the tree that it names may be in the repository; null when it is not. */
async function nameFiles(
  left: Side,
  right: Side,
  git: Git | null,
): Promise<Pick<TreeDifference, "differences" | "notCompared"> | null> {
  const listed = async (side: Side): Promise<Side | null> => {
    if (side.operand.kind !== "capture") return side;
    const tree = side.operand.captured.digests.git_tree;
    const found = git === null || tree === undefined ? null : await treeOperand(side.operand.name, tree, git);
    return found === null ? null : { operand: found, files: null };
  };
  const [one, other] = [await listed(left), await listed(right)];
  return one === null || other === null ? null : differenceOf(leavesOf(one, other), leavesOf(other, one));
}

type Side = { readonly operand: Operand; readonly files: Files | null };

async function sideOf(
  operand: Operand,
  format: ObjectFormat | null,
  rules: FolderRules,
  stop: AbortSignal,
): Promise<Side> {
  const listed = operand.kind === "commit" || operand.kind === "capture";
  return { operand, files: listed ? null : await readFiles(operand, format, rules, stop) };
}

/** The files of a side as the other one would have them: what its ignore file leaves out is no difference. */
function leavesOf({ operand, files }: Side, other: Side): Leaf[] {
  const chosen = other.files?.context?.chosen ?? null;
  if (operand.kind === "commit") {
    const leaves = leavesOfCommit(operand.committed.entries);
    if (chosen === null) return leaves;
    const ignore = compileIgnore(chosen.ignoreLines);
    const builds = [chosen.dockerfile?.inside, chosen.ignoreFile?.inside];
    return leaves.filter(
      ({ path }) => builds.includes(path) || !ignore.verdictFor(patternText(path)).ignored,
    );
  }
  const items = files?.items ?? [];
  if (operand.kind !== "archive" || chosen === null) return leavesOfItems(items);
  const dockerfile = chosen.dockerfile?.inside ?? chosen.dockerfile?.place ?? null;
  const ignoreFile = chosen.ignoreFile?.inside ?? chosen.ignoreFile?.place ?? null;
  return leavesOfItems(withoutTravelling(items, { ...NOTHING_CAPTURED, dockerfile, ignoreFile }));
}

const NOTHING_CAPTURED: CapturedSource = {
  digests: {},
  counts: { files: null, symlinks: null, bytes: null },
  dockerfile: null,
  ignoreFile: null,
  commit: null,
  matchesCommit: false,
  ownOutputs: [],
};

/** At least one side is a capture; its digests are held against what the other one has, or what it comes to. */
function digestPairs(left: Side, right: Side): DigestPair[] {
  const { operand: a } = left;
  if (a.kind === "capture") return pairsOf(a.captured, right);
  const swapped = right.operand.kind === "capture" ? pairsOf(right.operand.captured, left) : [];
  return swapped.map((pair) => ({ ...pair, a: pair.b, b: pair.a }));
}

function pairsOf(captured: CapturedSource, { operand, files }: Side): DigestPair[] {
  if (operand.kind === "capture") return pairs(captured, operand.captured.digests);
  if (operand.kind === "commit") return pairs(captured, { git_tree: operand.tree });
  const found = files?.items ?? [];
  const items = operand.kind === "archive" ? withoutTravelling(found, captured) : found;
  const { git_tree: tree, ...digests } = captured.digests;
  // A manifest that was written outside of a work tree knows no blob ids.
  const known = tree !== undefined && items.every(({ content }) => content.blob !== null);
  const comparable = { ...captured, digests: known ? captured.digests : digests };
  const { equal, different } = compareSource(comparable, { items, tarSha256: files?.tarSha256 ?? null });
  return [
    ...equal.map(({ name, value }) => ({ name, a: value, b: value, equal: true })),
    ...different.map(({ name, wanted, found: other }) => ({ name, a: wanted, b: other, equal: false })),
  ];
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
