import { lstatSync, readdirSync, type Stats } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { reason } from "../host/files.ts";
import { chooseBuildFiles } from "./build-files.ts";
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

/** Throws Failure `path_not_found`, and `ignore_file_invalid` for an ignore file that Docker refuses. */
export function explain(request: ExplainRequest): ExplainedPath {
  const root = contextRoot(request.cwd, request.context);
  const chosen = chooseBuildFiles(root, request);
  const ignoreFile = chosen.ignoreFile?.inside ?? chosen.ignoreFile?.place ?? null;
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
  const ignore = compileIgnore(chosen.ignoreLines);
  const bytes = bytePathFromText(path);
  const builds = [chosen.dockerfile?.inside, chosen.ignoreFile?.inside];
  const facts: PathFacts = {
    path: bytes,
    kind: kindOf(lstatSync(join(root, path))),
    behindLink: isBehindLink(root, path),
    isBuildFile: chosen.ignoreFile !== null && builds.includes(bytes),
    holdsIncluded: () => holdsIncluded(root, bytes, ignore),
  };
  return { path, ignoreFile, ...explainPath(facts, ignore) };
}

/**
 * The path below the context, or null when it lies outside. Paths are the context's own, as every output of a capture
 * has them; one that is not there is looked for from the current folder, as a shell completes it.
 */
function placeOf({ path, context, cwd }: ExplainRequest, root: string): string | null {
  const places = isAbsolute(path) ? [path] : [join(root, path), resolve(cwd, path)];
  const place = places.find((candidate) => lstatSync(candidate, { throwIfNoEntry: false }) !== undefined);
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

/** Looks below an ignored directory only as far as Docker's own walk would. */
function holdsIncluded(root: string, directory: BytePath, ignore: IgnoreMatcher): boolean {
  if (!ignore.hasExceptions) return false;
  let names: Buffer[];
  try {
    names = readdirSync(locate(root, directory), { encoding: "buffer" });
  } catch (error) {
    throw new Failure("path_not_found", `${quoted(directory)} cannot be read: ${reason(error)}`);
  }
  return names.some((name) => {
    const path = childPath(directory, bytePathOf(name));
    const status = lstatSync(locate(root, path), { throwIfNoEntry: false });
    if (status === undefined || name.toString() === ".git") return false;
    if (!ignore.verdictFor(patternText(path)).ignored) return true;
    return status.isDirectory() && holdsIncluded(root, path, ignore);
  });
}
