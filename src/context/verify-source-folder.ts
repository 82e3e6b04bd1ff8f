import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { readCommitTree } from "../source/commit-tree.ts";
import { Git } from "../source/git.ts";
import { findWorkTree } from "../source/work-tree.ts";
import { bytePathOf, patternText } from "./byte-path.ts";
import { captureContext, contextRoot, type ContextCapture } from "./capture-context.ts";
import { compileIgnore } from "./ignore.ts";
import {
  compareTrees,
  objectFormatOf,
  treeLines,
  type CapturedSource,
  type FoundSource,
  type TreeDifferences,
} from "./verify-source.ts";

/** Flags that say otherwise than the capture which files belong to the context. */
export type FolderRequest = {
  readonly context: string;
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
  readonly includeVcs: boolean;
  /** Absolute paths that are no part of the source, such as the capture document itself. */
  readonly besides: readonly string[];
};

export type FolderSource = FoundSource & { readonly context: ContextCapture };

/**
 * Reads a folder as the capture did: with the same Dockerfile and ignore file, and without the files that the
 * capturing run wrote itself. Throws Failure when it cannot be read whole: then nothing can be said about it.
 */
export async function readFolderSource(
  request: FolderRequest,
  captured: CapturedSource,
  stop: AbortSignal,
): Promise<FolderSource> {
  const root = contextRoot(request.cwd, request.context);
  const context = await captureContext(
    {
      context: request.context,
      cwd: request.cwd,
      dockerfile: request.dockerfile ?? placeIn(root, captured.dockerfile),
      ignoreFile: request.noIgnore ? undefined : (request.ignoreFile ?? placeIn(root, captured.ignoreFile)),
      noIgnore: request.noIgnore || (request.ignoreFile === undefined && captured.ignoreFile === null),
      includeVcs: request.includeVcs,
      archive: null,
      outputs: [...request.besides, ...captured.ownOutputs.map((path) => join(root, path))],
      objectFormat: objectFormatOf(captured),
    },
    stop,
  );
  const { items, problem } = context;
  if (items !== null) return { items, tarSha256: null, context };
  const code =
    problem?.code === "unstable"
      ? "file_changed"
      : problem?.code === "ignore_file_invalid"
        ? "ignore_file_invalid"
        : "nothing_checked";
  throw new Failure(code, `the source cannot be read: ${problem?.message ?? "unknown"}`);
}

/** A file that the capture names by its place in the context; one outside of it was on another machine. */
function placeIn(root: string, path: string | null): string | undefined {
  if (path === null || isAbsolute(path)) return undefined;
  const place = join(root, Buffer.from(path, "latin1").toString("utf8"));
  return existsSync(place) ? place : undefined;
}

/** Why a folder differs from a capture, when the folder is a clone; null when git cannot tell. */
export type Explanation =
  | { readonly kind: "files"; readonly commit: string; readonly differences: TreeDifferences }
  | { readonly kind: "other_commit"; readonly commit: string; readonly wanted: string };

/**
 * A capture that was exactly a commit has that commit's files. In a clone at the same commit they can be named; in a
 * clone at another one, that is the first thing to know.
 */
export async function explainByCommit(
  found: FolderSource,
  captured: CapturedSource,
  env: Readonly<Record<string, string | undefined>>,
  gitBudgetMs: number,
  stop: AbortSignal,
): Promise<Explanation | null> {
  const program = Git.find(env);
  if (program === null || captured.commit === null) return null;
  const git = new Git(program, found.context.root, env, gitBudgetMs, stop);
  const workTree = await findWorkTree(git, found.context.root);
  if (!workTree.ok) return null;
  const top = git.at(workTree.top);
  const commit = await top.line(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (commit === null) return null;
  if (commit !== captured.commit) return { kind: "other_commit", commit, wanted: captured.commit };
  if (!captured.matchesCommit || workTree.objectFormat !== objectFormatOf(captured)) return null;
  const tree = await readCommitTree(top, workTree.subpath);
  if (tree.value === null) return null;
  const ignore = compileIgnore(found.context.chosen?.ignoreLines ?? []);
  const committed = tree.value.entries
    .map(({ path, mode, id }) => ({ path: bytePathOf(path), mode, id }))
    .filter(({ path }) => !ignore.verdictFor(patternText(path)).ignored);
  return { kind: "files", commit, differences: compareTrees(committed, treeLines(found.items)) };
}

/** The files of a comparison for a message: `modified "a", "b"; missing "c"`. */
export function describeDifferences(differences: TreeDifferences): string {
  const shown = 5;
  return Object.entries(differences)
    .filter(([, paths]) => paths.length > 0)
    .map(([kind, paths]) => {
      const names = paths.slice(0, shown).map((path) => quoted(path));
      const more = paths.length > shown ? ` and ${paths.length - shown} more` : "";
      return `${kind.replace("_", " ")} ${names.join(", ")}${more}`;
    })
    .join("; ");
}
