import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded } from "../host/files.ts";
import { bytePathFromText, type BytePath } from "./byte-path.ts";
import { parseIgnoreFile, type IgnoreLine } from "./ignore-file.ts";
import type { BuildFiles } from "./inclusion.ts";
import type { BuildFile } from "./layout.ts";

export type BuildFileChoice = BuildFiles & { readonly ignoreLines: readonly IgnoreLine[] };

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
export function chooseBuildFiles(root: string, wanted: Wanted): BuildFiles {
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
    dockerfile: dockerfile === null ? null : buildFile(root, dockerfile),
    ignoreFile: ignoreFile === null ? null : buildFile(root, ignoreFile),
  };
}

/** Throws Failure `file_unreadable`, and `ignore_file_invalid` for what Docker would not read either. */
export function readIgnoreLines({ ignoreFile }: BuildFiles): IgnoreLine[] {
  if (ignoreFile === null) return [];
  return parseIgnoreFile(readBounded(ignoreFile.place, LIMITS.ignoreFileBytes, "the ignore file"));
}

function firstFile(candidates: readonly string[]): string | null {
  return candidates.find(isFile) ?? null;
}

/** What cannot be looked at, such as a link in a circle, is a matter of the walk. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function named(cwd: string, path: string, flag: string): string {
  const place = resolve(cwd, path);
  if (isFile(place)) return place;
  throw new Failure("path_not_found", `${flag} ${quoted(path)} is not a file`, { hint: "check the path" });
}

function buildFile(root: string, path: string): BuildFile {
  const { place, inside } = locateIn(root, path);
  const real = realpathSync(place);
  // The repository may be a stranger's, and what lies behind such a link would be sent: not one to `~/.ssh/id_rsa`.
  const beside = pathInside(dirname(place), real) !== null;
  const target = pathInside(root, real);
  return { place, inside, target, content: target !== null || beside ? real : null };
}

/** The folder's links are resolved, the file's own name is not: a linked Dockerfile is that entry of the context. */
export function locateIn(root: string, path: string): Pick<BuildFile, "place" | "inside"> {
  const place = join(realpathSync(dirname(path)), basename(path));
  return { place, inside: pathInside(root, place) };
}

function pathInside(folder: string, place: string): BytePath | null {
  const inside = relative(folder, place);
  const outside = inside === ".." || inside.startsWith(`..${sep}`) || inside.startsWith(sep);
  return outside ? null : bytePathFromText(inside);
}
