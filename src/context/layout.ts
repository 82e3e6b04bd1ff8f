import { bytePathFromText, type BytePath } from "./byte-path.ts";
import type { Entry } from "./entry-list.ts";

/** One of the two files that a builder always gets, wherever it lies. */
export type BuildFile = {
  /** Absolute place on disk. */
  readonly place: string;
  /** Its path inside the context, or null when it lies outside. */
  readonly inside: BytePath | null;
  /** The same of the file that it is a link to, or of itself. */
  readonly target: BytePath | null;
  /** Where its content lies, or null for a link that leads out of the context and out of its own folder. */
  readonly content: string | null;
};

/** A build file that only travels with the archive, under the name that builders look for. */
export type Travelling = { readonly path: BytePath; readonly file: BuildFile };

const DOCKERFILE = bytePathFromText("Dockerfile");
const IGNORE_FILE = bytePathFromText(".dockerignore");

/**
 * Decides what stands in the archive beside every entry under its own path: the chosen Dockerfile and ignore file at
 * the root under the names that remote builders know, in the order of these. A different file that already has such a
 * name gives way (the original let it win, and built the wrong Dockerfile); the tree hash still covers it.
 */
export function travellingFiles(dockerfile: BuildFile | null, ignoreFile: BuildFile | null): Travelling[] {
  const found: Travelling[] = [];
  if (ignoreFile !== null && ignoreFile.inside !== IGNORE_FILE) {
    found.push({ path: IGNORE_FILE, file: ignoreFile });
  }
  if (dockerfile !== null && dockerfile.inside !== DOCKERFILE) {
    found.push({ path: DOCKERFILE, file: dockerfile });
  }
  return found;
}

/** Whether an entry belongs to the tree and not to the archive, because another file took its name. */
export function isDisplaced({ path }: Entry, travelling: readonly Travelling[]): boolean {
  return travelling.some((one) => one.path === path);
}

/** Whether it stands before an entry in the archive, whose order is that of the names. */
export function standsBefore({ path }: Travelling, entry: Entry): boolean {
  return path < (entry.kind === "directory" ? `${entry.path}/` : entry.path);
}
