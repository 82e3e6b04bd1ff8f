import { quoted } from "../base/printable.ts";
import { ArchiveWriter, type ArchiveTarget, type WrittenArchive } from "./archive.ts";
import { shownBuildFile } from "./inclusion.ts";
import { bytePathFromText, locate, shownText, type BytePath } from "./byte-path.ts";
import { linkContent, type ObjectFormat } from "./contents.ts";
import type { ContentCrew } from "./content-crew.ts";
import type { BuildFile, Layout } from "./layout.ts";
import { ContentFailure } from "./opened-file.ts";
import type { TreeItem } from "./tree-digests.ts";
import type { Turns } from "./turns.ts";
import type { Entry } from "./walk.ts";

/** Why the context has no digest; `unstable` may be better at the next try. */
export type ContentProblem = { readonly code: "unreadable" | "unstable"; readonly message: string };

export type Contents =
  | {
      readonly ok: true;
      readonly items: readonly TreeItem[];
      readonly archive: WrittenArchive | null;
    }
  | { readonly ok: false; readonly problem: ContentProblem };

/** The crew heard of the files of the tree in this order already. */
export async function crewItems(
  { entries, travelling }: Layout,
  crew: ContentCrew,
  format: ObjectFormat | null,
): Promise<Contents> {
  // What only travels with an archive is read all the same: a build without it would fail.
  const inTree = crew.count;
  const beside = new Map<Entry, number>();
  for (const [entry, file] of travelling) {
    if (file.content === null) return { ok: false, problem: barredProblem(file) };
    beside.set(entry, crew.add(bytePathFromText(file.content)));
  }
  await crew.finish();
  const items: TreeItem[] = [];
  let next = 0;
  for (const entry of entries) {
    if (entry.kind === "symlink") items.push(linkItem(entry, format));
    if (entry.kind !== "file") continue;
    const number = beside.get(entry) ?? next++;
    const failure = crew.failure(number);
    if (failure !== null) return { ok: false, problem: contentProblem(entry.path, failure) };
    if (number < inTree) items.push({ path: entry.path, kind: "file", content: crew.content(number) });
  }
  return { ok: true, items, archive: null };
}

export async function archiveItems(
  root: string,
  { entries, travelling, displaced }: Layout,
  target: ArchiveTarget,
  format: ObjectFormat | null,
  turns: Turns,
): Promise<Contents> {
  let files = 0;
  for (const { kind } of entries) if (kind === "file") files++;
  const writer = new ArchiveWriter(target, files, format, turns);
  try {
    let number = 0;
    for (const entry of entries) {
      if (entry.kind !== "file") {
        if (!displaced.has(entry)) await writer.add(entry);
        continue;
      }
      try {
        const file = travelling.get(entry);
        if (file?.content === null) return { ok: false, problem: barredProblem(file) };
        const place = file?.content ?? locate(root, entry.path);
        if (displaced.has(entry)) await writer.readBeside(number++, place);
        else await writer.addFile(number++, place, entry.path);
      } catch (error) {
        if (!(error instanceof ContentFailure)) throw error;
        return { ok: false, problem: contentProblem(entry.path, error) };
      }
    }
    const archive = await writer.commit();
    const items: TreeItem[] = [];
    number = 0;
    for (const entry of entries) {
      if (entry.kind === "symlink") items.push(linkItem(entry, format));
      if (entry.kind !== "file") continue;
      const content = writer.content(number++);
      if (!travelling.has(entry)) items.push({ path: entry.path, kind: "file", content });
    }
    return { ok: true, items, archive };
  } finally {
    await writer.discard();
  }
}

/** A link's content is the path that it points to. */
function linkItem(
  { path, target }: Extract<Entry, { kind: "symlink" }>,
  format: ObjectFormat | null,
): TreeItem {
  return { path, kind: "symlink", content: linkContent(target, format) };
}

function contentProblem(path: BytePath, { kind, message }: ContentFailure): ContentProblem {
  return kind === "changed"
    ? unstableProblem(shownText(path), message)
    : unreadableProblem(shownText(path), message);
}

function barredProblem(file: BuildFile): ContentProblem {
  return unreadableProblem(
    shownBuildFile(file) ?? "",
    "it is a link that leads out of the context and out of its own folder",
  );
}

export function unreadableProblem(path: string, why: string): ContentProblem {
  return { code: "unreadable", message: `${quoted(path)} cannot be read: ${why}` };
}

export function unstableProblem(path: string, why: string): ContentProblem {
  return { code: "unstable", message: `${quoted(path)} changed during the capture: ${why}` };
}
