import { lstatSync, readdirSync, type Stats } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, reason } from "../host/files.ts";
import { chooseBuildFiles, readIgnoreLines } from "./build-files.ts";
import { alwaysIncluded, holdsOneOf, shownBuildFile } from "./inclusion.ts";
import { bytePathFromText, bytePathOf, childPath, locate, patternText, type BytePath } from "./byte-path.ts";
import { contextRoot } from "./capture-context.ts";
import { explainPath, type Explanation, type PathFacts } from "./explanation.ts";
import { compileIgnore, type IgnoreMatcher } from "./ignore.ts";

export type ExplainRequest = {
  readonly path: string;
  readonly context: string;
  readonly cwd: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly noIgnore: boolean;
};

export type ExplainedPath = Explanation & {
  /** Below the context, or as it was given when it lies outside. */
  readonly path: string;
  readonly ignoreFile: string | null;
};

/**
 * Throws Failure `path_not_found`, `file_unreadable` for the ignore file, and `ignore_file_invalid` for one that Docker
 * refuses.
 */
export function explain(request: ExplainRequest): ExplainedPath {
  const root = contextRoot(request.cwd, request.context);
  const chosen = chooseBuildFiles(root, request);
  const ignoreFile = shownBuildFile(chosen.ignoreFile);
  const path = placeOf(request, root);
  const fixed = (reason: Explanation["reason"], included: boolean, shown: string): ExplainedPath => ({
    path: shown,
    included,
    reason,
    rule: null,
    ignoreFile,
  });
  if (path === null) return fixed("outside_context", false, request.path);
  if (path === "") return fixed("context_root", true, ".");
  const ignore = compileIgnore(readIgnoreLines(chosen));
  const always = alwaysIncluded(chosen);
  const bytes = bytePathFromText(path);
  const facts: PathFacts = {
    path: bytes,
    kind: kindOf(lstatSync(join(root, path))),
    behindLink: isBehindLink(root, path),
    isBuildFile: always.has(bytes),
    holdsIncluded: () => holdsIncluded(root, bytes, always, ignore),
  };
  return { path, ignoreFile, ...explainPath(facts, ignore) };
}

/**
 * The path below the context, or null when it lies outside. Paths are the context's own, as every output of a capture
 * has them; one that is not there is looked for from the current folder, as a shell completes it.
 */
function placeOf({ path, context, cwd }: ExplainRequest, root: string): string | null {
  const places = isAbsolute(path) ? [path] : [join(root, path), resolve(cwd, path)];
  const place = places.find((candidate) => statusAt(candidate) !== null);
  if (place === undefined) {
    throw new Failure("path_not_found", `${quoted(path)} does not exist in the context ${quoted(context)}`, {
      hint: "give the path as it is below the context",
    });
  }
  // The context may have been named through a link, and so may the path.
  for (const base of [root, resolve(cwd, context)]) {
    const inside = relative(base, place);
    if (inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return inside;
  }
  return null;
}

function isBehindLink(root: string, path: string): boolean {
  const parts = path.split("/");
  return parts.some(
    (_, index) => index > 0 && lstatSync(join(root, ...parts.slice(0, index))).isSymbolicLink(),
  );
}

function kindOf(status: Stats): PathFacts["kind"] {
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  return status.isFile() ? "file" : "special";
}

/** Null where nothing is; throws Failure `path_not_found` where one may not look. */
function statusAt(place: string): Stats | null {
  try {
    return lstatSync(place);
  } catch (error) {
    if (errorCode(error) !== "EACCES") return null;
    throw new Failure("path_not_found", `${quoted(place)} cannot be looked at: ${reason(error)}`);
  }
}

/** Whether the walk lists an ignored directory after all, for something below it that is listed. */
function holdsIncluded(
  root: string,
  directory: BytePath,
  always: ReadonlySet<BytePath>,
  ignore: IgnoreMatcher,
): boolean {
  if (holdsOneOf(always, directory)) return true;
  if (!ignore.mayContainIncluded(patternText(directory))) return false;
  return childrenOf(locate(root, directory)).some((name) => {
    const path = childPath(directory, name);
    const kind = name === ".git" ? null : kindAt(locate(root, path));
    if (kind === null || kind === "special") return false;
    if (!ignore.verdictFor(patternText(path)).ignored) return true;
    return kind === "directory" && holdsIncluded(root, path, always, ignore);
  });
}

/** The names in an ignored directory; none in one that cannot be read, which Docker skips. */
function childrenOf(place: string | Buffer): BytePath[] {
  try {
    return readdirSync(place, { encoding: "buffer" }).map((name) => bytePathOf(name));
  } catch {
    return [];
  }
}

/** Null for what vanished, or cannot be looked at. */
function kindAt(place: string | Buffer): PathFacts["kind"] | null {
  try {
    return kindOf(lstatSync(place));
  } catch {
    return null;
  }
}
