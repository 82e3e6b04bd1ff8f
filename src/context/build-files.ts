import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded } from "../host/files.ts";
import { bytePathFromText } from "./byte-path.ts";
import { parseIgnoreFile, type IgnoreLine } from "./ignore-file.ts";
import type { BuildFile } from "./layout.ts";

export type BuildFileChoice = {
  readonly dockerfile: BuildFile | null;
  readonly ignoreFile: BuildFile | null;
  readonly ignoreLines: readonly IgnoreLine[];
};

type Wanted = {
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
};

/**
 * Finds the Dockerfile and the one ignore file that BuildKit would use: `<Dockerfile>.dockerignore` beside the
 * Dockerfile, else `.dockerignore` at the root; never both. Flags win, and a file that a flag names must exist.
 */
export function chooseBuildFiles(root: string, wanted: Wanted): BuildFileChoice {
  const dockerfile =
    wanted.dockerfile === undefined
      ? firstFile([join(root, "Dockerfile"), join(root, "dockerfile")])
      : named(wanted.cwd, wanted.dockerfile, "--dockerfile");
  let ignoreFile: string | null = null;
  if (!wanted.noIgnore) {
    ignoreFile =
      wanted.ignoreFile === undefined
        ? firstFile([
            ...(dockerfile === null ? [] : [`${dockerfile}.dockerignore`]),
            join(root, ".dockerignore"),
          ])
        : named(wanted.cwd, wanted.ignoreFile, "--ignore-file");
  }
  return {
    dockerfile: dockerfile === null ? null : locateIn(root, dockerfile),
    ignoreFile: ignoreFile === null ? null : locateIn(root, ignoreFile),
    ignoreLines:
      ignoreFile === null
        ? []
        : parseIgnoreFile(
            readBounded(ignoreFile, LIMITS.ignoreFileBytes, "the ignore file", "ignore_file_invalid"),
          ),
  };
}

function firstFile(candidates: readonly string[]): string | null {
  return candidates.find(isFile) ?? null;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function named(cwd: string, path: string, flag: string): string {
  const place = resolve(cwd, path);
  if (isFile(place)) return place;
  throw new Failure("path_not_found", `${flag} ${quoted(path)} is not a file`, { hint: "check the path" });
}

/** The folder's links are resolved, the file's own name is not: a linked Dockerfile is that entry of the context. */
export function locateIn(root: string, path: string): BuildFile {
  const place = join(realpathSync(dirname(path)), basename(path));
  const inside = relative(root, place);
  const outside = inside === ".." || inside.startsWith(`..${sep}`) || inside.startsWith(sep);
  return { place, inside: outside ? null : bytePathFromText(inside) };
}
