import { quoted } from "../base/printable.ts";
import { ArchiveWriter, type ArchiveTarget, type WrittenArchive } from "./archive.ts";
import { shownBuildFile } from "./inclusion.ts";
import { bytePathFromText, shownText, type BytePath } from "./byte-path.ts";
import type { ContextFolder } from "./context-folder.ts";
import type { ObjectFormat } from "./contents.ts";
import type { ContentCrew } from "./content-crew.ts";
import type { EntryList } from "./entry-list.ts";
import { isDisplaced, standsBefore, type BuildFile, type Travelling } from "./layout.ts";
import { linkItem, ListedItems } from "./listed-items.ts";
import { ContentFailure } from "./opened-file.ts";
import { treeLine } from "./tree-digests.ts";
import type { Turns } from "./turns.ts";

/** Why the context has no digest; `unstable` may be better at the next try. */
export type ContentProblem = { readonly code: "unreadable" | "unstable"; readonly message: string };

export type Contents =
  | {
      readonly ok: true;
      readonly items: ListedItems;
      /** The lines of the tree hash, in pieces, where whoever read the files wrote them. */
      readonly lines: readonly Uint8Array[] | null;
      readonly archive: WrittenArchive | null;
    }
  | { readonly ok: false; readonly problem: ContentProblem };

/** The crew heard of the files of the tree in this order already. */
export async function crewItems(
  entries: EntryList,
  travelling: readonly Travelling[],
  crew: ContentCrew,
  format: ObjectFormat | null,
): Promise<Contents> {
  // What only travels with an archive is read all the same: a build without it would fail.
  for (const { file } of travelling) {
    if (file.content === null) return { ok: false, problem: barredProblem(file) };
    crew.add(bytePathFromText(file.content));
  }
  await crew.finish();
  for (const { path, failure } of crew.failures())
    return { ok: false, problem: contentProblem(path, failure) };
  const items = new ListedItems(entries, crew, format);
  const lines: Uint8Array[] = [];
  let written = 0;
  for (const { link, filesBefore } of entries.links()) {
    lines.push(...crew.lines(written, filesBefore), treeLine(linkItem(link, format)));
    written = filesBefore;
  }
  lines.push(...crew.lines(written, entries.counts.file));
  return { ok: true, items, lines, archive: null };
}

/** Puts what is listed into an archive, as it comes; what is in the way of that is told at the end. */
export class TreePacking {
  readonly #writer: ArchiveWriter;
  readonly #turns: Turns;
  readonly #format: ObjectFormat | null;
  readonly #travelling: readonly Travelling[];
  /** How many of them are packed, and of the entries and the files. */
  #travelled = 0;
  #packed = 0;
  #files = 0;
  #problem: ContentProblem | null = null;

  constructor(
    folder: ContextFolder,
    target: ArchiveTarget,
    travelling: readonly Travelling[],
    format: ObjectFormat | null,
    turns: Turns,
  ) {
    this.#writer = new ArchiveWriter(folder, target, format, turns);
    this.#travelling = travelling;
    this.#format = format;
    this.#turns = turns;
  }

  /** Packs the entries that were added since. */
  async goOn(entries: EntryList): Promise<void> {
    if (this.#problem !== null) return;
    for (const entry of entries.from(this.#packed)) {
      for (
        let next = this.#travelling[this.#travelled];
        next !== undefined && standsBefore(next, entry);
        next = this.#travelling[this.#travelled]
      ) {
        if (!(await this.#travel(next))) return;
      }
      this.#packed++;
      const displaced = isDisplaced(entry, this.#travelling);
      if (entry.kind === "file") {
        const number = this.#files++;
        if (this.#writer.isItself(entry.path)) {
          this.#problem = unstableProblem(shownText(entry.path), "it is the archive that is being written");
          return;
        }
        // As nearly every file is one that goes in at once, nothing is waited for here.
        if (displaced || !this.#writer.addSmall(number, entry.path)) {
          const { path } = entry;
          const add = async (): Promise<void> =>
            displaced ? this.#writer.readBeside(number, path) : this.#writer.addFile(number, path, path);
          if (!(await this.#pack(path, add))) return;
        }
      } else if (!displaced) await this.#writer.add(entry);
      if (this.#turns.due()) await this.#turns.take();
    }
  }

  /** Packs the rest and ends the archive. */
  async finish(entries: EntryList): Promise<Contents> {
    await this.goOn(entries);
    for (const next of this.#travelling.slice(this.#travelled)) {
      if (this.#problem === null) await this.#travel(next);
    }
    if (this.#problem !== null) return { ok: false, problem: this.#problem };
    const archive = await this.#writer.commit();
    const items = new ListedItems(entries, this.#writer, this.#format);
    return { ok: true, items, lines: null, archive };
  }

  /** Ends what goes on beside, and removes an archive that is not finished. */
  async discard(): Promise<void> {
    await this.#writer.discard();
  }

  async #travel({ path, file }: Travelling): Promise<boolean> {
    this.#travelled++;
    const { content } = file;
    if (content === null) {
      this.#problem = barredProblem(file);
      return false;
    }
    const from = bytePathFromText(content);
    return this.#pack(from, async () => this.#writer.addFile(null, from, path));
  }

  /** False when it cannot be done. */
  async #pack(path: BytePath, add: () => Promise<void>): Promise<boolean> {
    try {
      await add();
      return true;
    } catch (error) {
      if (!(error instanceof ContentFailure)) throw error;
      this.#problem = contentProblem(path, error);
      return false;
    }
  }
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
