import type { BytePath } from "./byte-path.ts";
import { DIGEST_NAMES } from "./digest-names.ts";
import type { TreeItem } from "./tree-digests.ts";
import {
  compareSource,
  type CapturedSource,
  type FoundSource,
  type SourceComparison,
} from "./verify-source.ts";

/** The build files of a context, as a capture document tells them. */
export type ToldBuildFiles = Pick<CapturedSource, "dockerfile" | "ignoreFile">;

/**
 * What stands in an archive and not in its tree: a Dockerfile and an ignore file of other names or places are put at
 * the root under the names that builders know, also in place of what the tree has there.
 */
export function travellingNames({ dockerfile, ignoreFile }: ToldBuildFiles): ReadonlySet<string> {
  const names = new Set<string>();
  if (dockerfile !== null && dockerfile !== "Dockerfile") names.add("Dockerfile");
  if (ignoreFile !== null && ignoreFile !== ".dockerignore") names.add(".dockerignore");
  return names;
}

export function without<T extends { readonly path: BytePath }>(
  items: Iterable<T>,
  names: ReadonlySet<string>,
): readonly T[] {
  return [...items].filter(({ path }) => !names.has(path));
}

/**
 * Holds an archive against a capture. Where a file of the tree gave way to a build file, the archive lacks it, and the
 * digests of the tree cannot be computed: then only the archive's own can be compared.
 */
export function compareArchive(captured: CapturedSource, found: FoundSource): SourceComparison {
  const items: readonly TreeItem[] = without(found.items, travellingNames(captured));
  if (captured.displaced.length === 0) return compareSource(captured, { ...found, items });
  const { tar_sha256: tar } = captured.digests;
  const digests = tar === undefined ? {} : { tar_sha256: tar };
  const counts = { files: null, symlinks: null, bytes: null };
  return {
    ...compareSource({ ...captured, digests, counts }, { ...found, items }),
    notCompared: DIGEST_NAMES.filter((name) => name !== "tar_sha256" && captured.digests[name] !== undefined),
  };
}
