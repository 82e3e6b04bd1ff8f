import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { reason } from "../host/files.ts";
import type { ArchiveTarget, WrittenArchive } from "./archive.ts";
import { chooseBuildFiles, locateIn, readIgnoreLines, type BuildFileChoice } from "./build-files.ts";
import { bytePathFromText, patternText, shownText, type BytePath } from "./byte-path.ts";
import { ContextFolder } from "./context-folder.ts";
import { ContentCrew } from "./content-crew.ts";
import type { ObjectFormat } from "./contents.ts";
import type { EntryList } from "./entry-list.ts";
import { alwaysIncluded } from "./inclusion.ts";
import { compileIgnore } from "./ignore.ts";
import type { ListedItems } from "./listed-items.ts";
import { isDisplaced, travellingFiles } from "./layout.ts";
import { crewItems, TreePacking, unreadableProblem, unstableProblem } from "./reading.ts";
import { Turns } from "./turns.ts";
import { walkContext, type Walk } from "./walk.ts";

export type ContextRequest = {
  readonly context: string;
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
  readonly includeVcs: boolean;
  readonly archive: ArchiveTarget | null;
  /** Absolute paths of the files that this run writes; inside the context they are no part of it. */
  readonly outputs: readonly string[];
  /**
   * Blob ids are computed in the same read when the repository's object format is known. While it is being asked for,
   * the context is listed already.
   */
  readonly objectFormat: ObjectFormat | null | Promise<ObjectFormat | null>;
};

/** What the context holds. `items` is null when it could not be read whole; `problem` then says why. */
export type ContextCapture = {
  readonly root: string;
  readonly chosen: BuildFileChoice | null;
  readonly walk: Walk | null;
  readonly items: ListedItems | null;
  /** The lines of the tree hash in pieces, where they were written in the same read. */
  readonly lines: readonly Uint8Array[] | null;
  readonly displaced: readonly string[];
  /** Outputs of this run that the context would hold at the next one. */
  readonly ownOutputs: readonly string[];
  readonly archive: WrittenArchive | null;
  readonly problem: { readonly code: ContextProblem; readonly message: string } | null;
};

export type ContextProblem = "ignore_file_invalid" | "unreadable" | "unstable";

/** So many entries are worth to be packed while the walk goes on. */
const ENTRIES_TO_PACK = 1_000;

/** How often a context that changes under the read is read again. */
const ATTEMPTS = 2;

/** The absolute, link-free path of a folder, which `what` names in messages. Throws Failure `path_not_found`. */
export function contextRoot(cwd: string, folder: string, what = "the context"): string {
  const place = resolve(cwd, folder);
  let root = place;
  try {
    root = realpathSync(place);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    throw new Failure("path_not_found", `${what} ${quoted(folder)} cannot be read: ${reason(error)}`, {
      // What is not UTF-8 reaches us as U+FFFD, in arguments and in the current folder: another name than the real one.
      hint: root.includes("\ufffd")
        ? "its path has bytes that are not UTF-8; rename the folder, or mount it under another name"
        : undefined,
    });
  }
  throw new Failure("path_not_found", `${what} ${quoted(folder)} is not a directory`, {
    hint: "name a folder",
  });
}

/**
 * Enumerates and reads the context once, for the digests and the archive together. What the context does to us is
 * a value (`problem`); only wrong arguments and an archive that cannot be written throw. `onListed` is called when the
 * context is listed and what is left to do is reading, once an attempt.
 */
export async function captureContext(
  request: ContextRequest,
  stop: AbortSignal,
  onListed: (walk: Walk) => void = () => {},
): Promise<ContextCapture> {
  const root = contextRoot(request.cwd, request.context);
  const nothing = {
    root,
    chosen: null,
    walk: null,
    items: null,
    lines: null,
    displaced: [],
    ownOutputs: [],
    archive: null,
  };
  const turns = new Turns(stop);
  let chosen: BuildFileChoice;
  try {
    const files = chooseBuildFiles(root, request);
    chosen = { ...files, ignoreLines: readIgnoreLines(files) };
    for (let attempt = 1; ; attempt++) {
      const captured = await attemptCapture(root, chosen, request, turns, onListed);
      if (captured.problem?.code !== "unstable" || attempt === ATTEMPTS) return captured;
    }
  } catch (error) {
    const failure = asFailure(error);
    // Without the ignore file, or with one that Docker refuses, a hash would be that of some other selection.
    const code =
      failure.code === "ignore_file_invalid"
        ? failure.code
        : failure.code === "file_unreadable"
          ? "unreadable"
          : null;
    if (code === null) throw error;
    return { ...nothing, problem: { code, message: failure.message } };
  }
}

async function attemptCapture(
  root: string,
  chosen: BuildFileChoice,
  request: ContextRequest,
  turns: Turns,
  onListed: (walk: Walk) => void,
): Promise<ContextCapture> {
  const always = alwaysIncluded(chosen);
  const ignore = compileIgnore(chosen.ignoreLines);
  const outputs = outputsInside(root, request.outputs, chosen);
  const ownOutputs = [...outputs]
    .filter((path) => !ignore.verdictFor(patternText(path)).ignored)
    .map(shownText);
  const { archive, objectFormat } = request;
  const travelling = travellingFiles(chosen.dockerfile, chosen.ignoreFile);
  const folder = new ContextFolder(bytePathFromText(root));
  const crew = new ContentCrew(folder, turns);
  let packing: TreePacking | null = null;
  let packed = 0;
  try {
    const format = Promise.resolve(objectFormat).then((known) => {
      if (archive === null) crew.begin(known);
      return known;
    });
    // Whoever waits for it below hears of its failure, but the listing may throw first.
    format.catch(() => {});
    const pack = async (entries: EntryList, target: ArchiveTarget): Promise<void> => {
      packing ??= new TreePacking(folder, target, travelling, await format, turns);
      await packing.goOn(entries);
    };
    const selection = { ignore, always, outputs, includeVcs: request.includeVcs };
    // Files are read while the walk goes on: by several threads, or by this one for an archive, which wants one order.
    const walk = await walkContext(
      folder,
      selection,
      turns,
      (path) => {
        if (archive === null) crew.add(path);
      },
      // An archive that is being written inside the context must not be listed.
      archive === null || outputs.size > 0
        ? null
        : (entries) => {
            if (entries.length - packed < ENTRIES_TO_PACK) return null;
            packed = entries.length;
            return pack(entries, archive);
          },
    );
    const displaced =
      travelling.length === 0
        ? []
        : [...walk.entries].filter((entry) => isDisplaced(entry, travelling)).map(({ path }) => path);
    const found = { root, chosen, walk, displaced, ownOutputs, items: null, lines: null, archive: null };
    const [unreadable, changed] = [walk.unreadable[0], walk.changed[0]];
    if (unreadable !== undefined)
      return { ...found, problem: unreadableProblem(unreadable.path, unreadable.reason) };
    if (changed !== undefined) return { ...found, problem: unstableProblem(changed, "it vanished") };
    onListed(walk);
    const known = await format;
    if (archive !== null) packing ??= new TreePacking(folder, archive, travelling, known, turns);
    const contents =
      packing === null
        ? await crewItems(walk.entries, travelling, crew, known)
        : await packing.finish(walk.entries);
    return contents.ok
      ? { ...found, items: contents.items, lines: contents.lines, archive: contents.archive, problem: null }
      : { ...found, problem: contents.problem };
  } finally {
    await packing?.discard();
    crew.dispose();
    folder.close();
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
    if ([dockerfile, ignoreFile].some((file) => place === file?.place || place === file?.content)) {
      throw new Failure(
        "flags_contradict",
        `${quoted(output)} is read for this capture and cannot be its output`,
        {
          hint: "write to another file",
        },
      );
    }
    // That the context itself is no file to write is the writer's to say, too.
    if (path !== null && place !== root) inside.add(path);
  }
  return inside;
}
