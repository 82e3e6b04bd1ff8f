import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { reason } from "../host/files.ts";
import { ArchiveWriter, type Compression } from "./archive.ts";
import { chooseBuildFiles, locateIn, type BuildFileChoice } from "./build-files.ts";
import { patternText, shownText, type BytePath } from "./byte-path.ts";
import { ContentFailure, ContentReader, linkContent, type ObjectFormat } from "./contents.ts";
import { compileIgnore } from "./ignore.ts";
import { layOut, type Item } from "./layout.ts";
import type { TreeItem } from "./tree-digests.ts";
import { walkContext, type Walk } from "./walk.ts";

export type ContextRequest = {
  readonly context: string;
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
  readonly includeVcs: boolean;
  readonly archive: {
    readonly path: string;
    readonly compression: Compression;
    readonly mtime: number;
  } | null;
  /** Absolute paths of the files that this run writes; inside the context they are no part of it. */
  readonly outputs: readonly string[];
  /** Blob ids are computed in the same read when the repository's object format is known. */
  readonly objectFormat: ObjectFormat | null;
};

/** What the context holds. `items` is null when it could not be read whole; `problem` then says why. */
export type ContextCapture = {
  readonly root: string;
  readonly chosen: BuildFileChoice | null;
  readonly walk: Walk | null;
  readonly items: readonly TreeItem[] | null;
  readonly displaced: readonly string[];
  /** Outputs of this run that the context would hold at the next one. */
  readonly ownOutputs: readonly string[];
  readonly archive: { readonly tarSha256: string; readonly tarBytes: number } | null;
  readonly problem: { readonly code: ContextProblem; readonly message: string } | null;
};

export type ContextProblem = "ignore_file_invalid" | "unreadable" | "unstable";

/** How often a context that changes under the read is read again. */
const ATTEMPTS = 2;

/** The absolute, link-free path of a context folder. Throws Failure `path_not_found`. */
export function contextRoot(cwd: string, context: string): string {
  const place = resolve(cwd, context);
  try {
    if (statSync(place).isDirectory()) return realpathSync(place);
  } catch (error) {
    throw new Failure("path_not_found", `the context ${quoted(context)} cannot be read: ${reason(error)}`);
  }
  throw new Failure("path_not_found", `the context ${quoted(context)} is not a directory`, {
    hint: "name the folder that is built",
  });
}

/**
 * Enumerates and reads the context once, for the digests and the archive together. What the context does to us is
 * a value (`problem`); only wrong arguments and an archive that cannot be written throw.
 */
export async function captureContext(request: ContextRequest, stop: AbortSignal): Promise<ContextCapture> {
  const root = contextRoot(request.cwd, request.context);
  const nothing = {
    root,
    chosen: null,
    walk: null,
    items: null,
    displaced: [],
    ownOutputs: [],
    archive: null,
  };
  let chosen: BuildFileChoice;
  try {
    chosen = chooseBuildFiles(root, request);
    for (let attempt = 1; ; attempt++) {
      const captured = await attemptCapture(root, chosen, request, stop);
      if (captured.problem?.code !== "unstable" || attempt === ATTEMPTS) return captured;
    }
  } catch (error) {
    const failure = asFailure(error);
    // Docker would fail the build on this file; a hash of some other selection would be a wrong hash.
    if (failure.code !== "ignore_file_invalid") throw error;
    return { ...nothing, problem: { code: "ignore_file_invalid", message: failure.message } };
  }
}

async function attemptCapture(
  root: string,
  chosen: BuildFileChoice,
  request: ContextRequest,
  stop: AbortSignal,
): Promise<ContextCapture> {
  const always = new Set<BytePath>();
  // Without an ignore file nothing is ignored, and nothing needs to be kept in spite of it.
  for (const file of chosen.ignoreFile === null ? [] : [chosen.dockerfile, chosen.ignoreFile]) {
    if (file !== null && file.inside !== null) always.add(file.inside);
  }
  const ignore = compileIgnore(chosen.ignoreLines);
  const outputs = outputsInside(root, request.outputs, chosen);
  const ownOutputs = [...outputs]
    .filter((path) => !ignore.verdictFor(patternText(path)).ignored)
    .map(shownText);
  const walk = walkContext(root, {
    ignore,
    always,
    outputs,
    includeVcs: request.includeVcs,
  });
  const { items, displaced } = layOut(root, walk.entries, chosen.dockerfile, chosen.ignoreFile);
  const found = { root, chosen, walk, displaced, ownOutputs, items: null, archive: null };
  const [unreadable, changed] = [walk.unreadable[0], walk.changed[0]];
  if (unreadable !== undefined)
    return { ...found, problem: unreadableProblem(unreadable.path, unreadable.reason) };
  if (changed !== undefined) return { ...found, problem: unstableProblem(changed, "it vanished") };

  const { archive } = request;
  const writer =
    archive === null ? null : new ArchiveWriter(archive.path, archive.compression, archive.mtime);
  try {
    const contents = await readItems(items, writer, new ContentReader(request.objectFormat, stop));
    if (!contents.ok) return { ...found, problem: contents.problem };
    return { ...found, items: contents.items, archive: writer?.commit() ?? null, problem: null };
  } finally {
    writer?.discard();
  }
}

/** The outputs that lie inside the context. Throws Failure `flags_contradict` for one that is itself built from. */
function outputsInside(
  root: string,
  outputs: readonly string[],
  { dockerfile, ignoreFile }: BuildFileChoice,
): ReadonlySet<BytePath> {
  const inside = new Set<BytePath>();
  for (const output of outputs) {
    // A folder that is missing is the writer's to complain about.
    if (!existsSync(dirname(output))) continue;
    const { place, inside: path } = locateIn(root, output);
    if (place === dockerfile?.place || place === ignoreFile?.place) {
      throw new Failure(
        "flags_contradict",
        `${quoted(output)} is read for this capture and cannot be its output`,
        {
          hint: "write to another file",
        },
      );
    }
    if (path !== null) inside.add(path);
  }
  return inside;
}

type Contents =
  | { readonly ok: true; readonly items: readonly TreeItem[] }
  | { readonly ok: false; readonly problem: NonNullable<ContextCapture["problem"]> };

async function readItems(
  items: readonly Item[],
  writer: ArchiveWriter | null,
  reader: ContentReader,
): Promise<Contents> {
  const tree: TreeItem[] = [];
  for (const { place, entry, archived, inTree } of items) {
    const into = archived === null ? null : writer;
    if (entry.kind === "directory") {
      into?.add(entry);
      continue;
    }
    if (entry.kind === "symlink") {
      into?.add(entry);
      tree.push({ path: entry.path, kind: "symlink", content: linkContent(entry.target, reader.format) });
      continue;
    }
    try {
      const content = await reader.read(place, into?.fileSink(entry.path) ?? null);
      into?.endFile(content.size);
      if (inTree) tree.push({ path: entry.path, kind: "file", content });
    } catch (error) {
      if (!(error instanceof ContentFailure)) throw error;
      const path = shownText(entry.path);
      return {
        ok: false,
        problem:
          error.kind === "changed"
            ? unstableProblem(path, error.message)
            : unreadableProblem(path, error.message),
      };
    }
  }
  return { ok: true, items: tree };
}

function unreadableProblem(path: string, why: string): { code: "unreadable"; message: string } {
  return { code: "unreadable", message: `${quoted(path)} cannot be read: ${why}` };
}

function unstableProblem(path: string, why: string): { code: "unstable"; message: string } {
  return { code: "unstable", message: `${quoted(path)} changed during the capture: ${why}` };
}
