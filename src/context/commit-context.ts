import { toHex } from "../base/encoding.ts";
import type { CommitTree } from "../source/commit-tree.ts";
import type { Git } from "../source/git.ts";
import type { ToldBuildFiles } from "./archive-comparison.ts";
import { includedBy, type Inclusion } from "./inclusion.ts";
import { bytePathFromText, bytePathOf } from "./byte-path.ts";
import { parseIgnoreFile } from "./ignore-file.ts";
import type { TreeItems } from "./tree-digests.ts";

/**
 * What of a commit was in a captured context: by the ignore file that the capture names, as the commit has it. Null
 * when it has none; throws Failure `ignore_file_invalid`.
 */
export async function inclusionAsCaptured(
  files: ToldBuildFiles,
  committed: CommitTree,
  git: Git,
): Promise<Inclusion | null> {
  if (files.ignoreFile === null) return null;
  const path = bytePathFromText(files.ignoreFile);
  const entry = committed.entries.find((one) => bytePathOf(one.path) === path);
  return entry === undefined ? null : inclusionByBlob(files, entry.id, git);
}

const AT_ROOT: ToldBuildFiles = { dockerfile: "Dockerfile", ignoreFile: ".dockerignore" };

/** The same for an archive or a manifest, whose ignore file is at its root. */
export async function inclusionAsListed(items: TreeItems, git: Git): Promise<Inclusion | null> {
  const blob = items.values().find(({ path }) => path === AT_ROOT.ignoreFile)?.content.blob ?? null;
  return blob === null ? null : inclusionByBlob(AT_ROOT, toHex(blob), git);
}

/** Null when the repository does not have that ignore file. */
async function inclusionByBlob(
  { dockerfile, ignoreFile }: ToldBuildFiles,
  id: string,
  git: Git,
): Promise<Inclusion | null> {
  const blob = await git.run(["cat-file", "blob", id]);
  if (!blob.ok) return null;
  const always = [dockerfile, ignoreFile].flatMap((path) => (path === null ? [] : [bytePathFromText(path)]));
  return includedBy(new Set(always), parseIgnoreFile(blob.stdout));
}
