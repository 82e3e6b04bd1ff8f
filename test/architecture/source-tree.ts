import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The texts of a source tree, by path below `src`: `cli/run.ts`. */
export type SourceTree = ReadonlyMap<string, string>;

export type Import = {
  /** A path below `src` for our own files, else the name of a module: `node:fs`. */
  readonly target: string;
  readonly isOwn: boolean;
  /** `import type` and `export type … from`, which vanish when the program is built. */
  readonly isType: boolean;
};

export function readSourceTree(folder: string): SourceTree {
  const paths = [...new Bun.Glob("**/*.ts").scanSync(folder)].sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/** The text without its comments; strings stay. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//gu, "").replace(/(^|\s)\/\/.*$/gmu, "$1");
}

// Bun's own scanner leaves the type imports out, and those have to obey the same arrows.
const STATIC = /^(?:import|export)(?<type>\s+type\b)?(?:[^"';]*?\sfrom)?\s*"(?<target>[^"]+)"/gmu;
const DYNAMIC = /\bimport\(\s*"(?<target>[^"]+)"/gu;

/** Every import of a file, also those that load later and those of types alone. */
export function importsOf(path: string, text: string): Import[] {
  const code = codeOf(text);
  return [...code.matchAll(STATIC), ...code.matchAll(DYNAMIC)].map(({ groups }) => {
    const target = groups?.["target"] ?? "";
    const isOwn = target.startsWith(".");
    return {
      target: isOwn ? normalize(join(dirname(path), target)) : target,
      isOwn,
      isType: groups?.["type"] !== undefined,
    };
  });
}

/** The first folder of a path, or the file's own name at the top: `cli`, `main.ts`. */
export function folderOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** Every file that can be reached from `start`. */
export function reachableFrom(start: string, tree: SourceTree): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const text = tree.get(path);
    if (text === undefined || reached.has(path)) continue;
    reached.add(path);
    open.push(...importsOf(path, text).flatMap((found) => (found.isOwn ? [found.target] : [])));
  }
  return reached;
}

/** Ways from a file through what it imports back to itself, each once. Imports of types do not count. */
export function circles(tree: SourceTree): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const begin = way.indexOf(path);
    if (begin !== -1) found.add([...way.slice(begin), path].join(" -> "));
    if (begin !== -1 || done.has(path)) return;
    for (const { target, isOwn, isType } of importsOf(path, tree.get(path) ?? "")) {
      if (isOwn && !isType) visit(target, [...way, path]);
    }
    done.add(path);
  };
  for (const path of tree.keys()) visit(path, []);
  return [...found];
}
