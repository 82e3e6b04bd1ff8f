import { patternText, shownText, type BytePath } from "./byte-path.ts";
import { compileIgnore } from "./ignore.ts";
import type { IgnoreLine } from "./ignore-file.ts";
import type { BuildFile } from "./layout.ts";

/** The files that say what is built and what of the context is left out. */
export type BuildFiles = {
  readonly dockerfile: BuildFile | null;
  readonly ignoreFile: BuildFile | null;
};

/** The build files inside the context, which reach the builder even when the ignore file names them. */
export function alwaysIncluded({ dockerfile, ignoreFile }: BuildFiles): ReadonlySet<BytePath> {
  // Without an ignore file nothing is ignored, and nothing needs to be kept in spite of it.
  const files = ignoreFile === null ? [] : [dockerfile, ignoreFile];
  const paths = files.flatMap((file) => (file === null ? [] : [file.inside, file.target]));
  return new Set(paths.filter((path) => path !== null));
}

/** Whether one of these lies in a directory, however deep. */
export function holdsOneOf(paths: ReadonlySet<BytePath>, directory: BytePath): boolean {
  return [...paths].some((path) => path.startsWith(`${directory}/`));
}

/** Whether a path belongs to a context by its ignore file. Throws Failure `ignore_file_invalid`. */
export type Inclusion = (path: BytePath) => boolean;

export function includedBy(always: ReadonlySet<BytePath>, lines: readonly IgnoreLine[]): Inclusion {
  const ignore = compileIgnore(lines);
  return (path) => always.has(path) || !ignore.verdictFor(patternText(path)).ignored;
}

/** How a build file is told: below the context, or by its absolute place. */
export function shownBuildFile(file: BuildFile | null | undefined): string | null {
  if (file === null || file === undefined) return null;
  return file.inside === null ? file.place : shownText(file.inside);
}
