import { quoted } from "../base/printable.ts";
import { ArchiveWriter, type ArchiveTarget, type WrittenArchive } from "./archive.ts";
import { shownBuildFile } from "./inclusion.ts";
import { bytePathFromText, shownText, type BytePath } from "./byte-path.ts";
import type { ContextFolder } from "./context-folder.ts";
import { linkContent, type ObjectFormat } from "./contents.ts";
import type { ContentCrew } from "./content-crew.ts";
import type { BuildFile, Layout } from "./layout.ts";
import { ContentFailure } from "./opened-file.ts";
import { treeLine, type TreeItem } from "./tree-digests.ts";
import type { Turns } from "./turns.ts";
import type { Entry } from "./walk.ts";

/** Why the context has no digest; `unstable` may be better at the next try. */
export type ContentProblem = { readonly code: "unreadable" | "unstable"; readonly message: string };

export type Contents =
  | {
      readonly ok: true;
      readonly items: readonly TreeItem[];
      /** The lines of the tree hash, in pieces, where whoever read the files wrote them. */
      readonly lines: readonly Uint8Array[] | null;
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
  for (const file of travelling.values()) {
    if (file.content === null) return { ok: false, problem: barredProblem(file) };
    crew.add(bytePathFromText(file.content));
  }
  await crew.finish();
  for (const { path, failure } of crew.failures())
    return { ok: false, problem: contentProblem(path, failure) };
  const items: TreeItem[] = [];
  const lines: Uint8Array[] = [];
  let [next, written] = [0, 0];
  for (const entry of entries) {
    if (entry.kind === "symlink") {
      const item = linkItem(entry, format);
      items.push(item);
      lines.push(...crew.lines(written, next), treeLine(item));
      written = next;
    } else if (entry.kind === "file" && !travelling.has(entry)) {
      items.push({ path: entry.path, kind: "file", content: crew.content(next++) });
    }
  }
  lines.push(...crew.lines(written, next));
  return { ok: true, items, lines, archive: null };
}

export async function archiveItems(
  folder: ContextFolder,
  { entries, travelling, displaced }: Layout,
  target: ArchiveTarget,
  format: ObjectFormat | null,
  turns: Turns,
): Promise<Contents> {
  let files = 0;
  for (const { kind } of entries) if (kind === "file") files++;
  const writer = new ArchiveWriter(folder, target, files, format, turns);
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
        const path = file === undefined ? entry.path : bytePathFromText(file.content);
        if (displaced.has(entry)) await writer.readBeside(number, path);
        else if (file !== undefined || !writer.addSmall(number, path)) {
          await writer.addFile(number, path, entry.path);
        }
        number++;
        if (turns.due()) await turns.take();
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
    return { ok: true, items, lines: null, archive };
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
