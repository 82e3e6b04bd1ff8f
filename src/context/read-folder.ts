import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { Failure } from "../base/failure.ts";
import { captureContext, type ContextCapture } from "./capture-context.ts";
import type { ObjectFormat } from "./contents.ts";
import type { CapturedSource, FoundSource } from "./verify-source.ts";

/** Which files belong to a folder, as the caller says. */
export type FolderRules = {
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
  readonly includeVcs: boolean;
  /** Absolute paths that are no part of it, such as the capture document itself. */
  readonly besides: readonly string[];
};

export type FolderSource = FoundSource & { readonly context: ContextCapture };

/**
 * The rules that a capture was made with, for another folder `root`; what the caller says goes before. Without the
 * files that the capturing run wrote itself.
 */
export function rulesOfCapture(root: string, captured: CapturedSource, rules: FolderRules): FolderRules {
  const { dockerfile, ignoreFile, ownOutputs } = captured;
  const chosen = rules.noIgnore || rules.ignoreFile !== undefined;
  return {
    ...rules,
    dockerfile: rules.dockerfile ?? placeIn(root, dockerfile),
    ignoreFile: chosen ? rules.ignoreFile : placeIn(root, ignoreFile),
    noIgnore: chosen ? rules.noIgnore : ignoreFile === null,
    besides: [...rules.besides, ...ownOutputs.map((path) => join(root, path))],
  };
}

/** A file that the capture names by its place in the context; one outside of it was on another machine. */
function placeIn(root: string, path: string | null): string | undefined {
  if (path === null || isAbsolute(path)) return undefined;
  const place = join(root, path);
  return existsSync(place) ? place : undefined;
}

/**
 * Reads a folder whole. Throws Failure when that cannot be done: then nothing can be said about it. `what` names it in
 * the message; `format` is that of the blob ids to compute.
 */
export async function readFolder(
  folder: string,
  what: string,
  { besides, ...rules }: FolderRules,
  format: ObjectFormat | null,
  stop: AbortSignal,
): Promise<FolderSource> {
  const request = { ...rules, context: folder, archive: null, outputs: besides, objectFormat: format };
  const context = await captureContext(request, stop);
  const { items, problem } = context;
  if (items !== null) return { items, tarSha256: null, context };
  const code =
    problem?.code === "unstable"
      ? "file_changed"
      : problem?.code === "ignore_file_invalid"
        ? "ignore_file_invalid"
        : "nothing_checked";
  throw new Failure(code, `${what} cannot be read: ${problem?.message ?? "unknown"}`);
}
