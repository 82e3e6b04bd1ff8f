import { LIMITS } from "../base/limits.ts";
import { exactText, isAscii, patternText, type BytePath } from "./byte-path.ts";
import type { ContextFolder } from "./context-folder.ts";
import { readStart } from "./reread.ts";
import { isSecret, suspicionOf, type SecretKind } from "./secret-files.ts";
import type { ListedItems } from "./listed-items.ts";
import type { TreeItems } from "./tree-digests.ts";
import type { Walk } from "./walk.ts";

/** What somebody should know of a context before it is sent anywhere. */
export type Health = {
  readonly bytes: number;
  readonly largest: readonly { readonly path: BytePath; readonly size: number }[];
  readonly secrets: readonly { readonly path: BytePath; readonly kind: SecretKind }[];
  /** Files with the name of a secret that nobody looked into, beyond the ceiling. */
  readonly unchecked: number;
  /** Names that are one where letter case does not count. */
  readonly caseCollisions: readonly BytePath[];
  /** Names in another Unicode form than the one that most systems write (macOS of old did so). */
  readonly decomposed: number;
};

const LARGEST = 10;

/**
 * Looks at the names of all files, and into those few that are named like secrets. No value of one is kept.
 */
export function examine(
  folder: ContextFolder,
  items: ListedItems,
  { mayCollide, suspects }: Pick<Walk, "mayCollide" | "suspects">,
): Health {
  let bytes = 0;
  const largest: Sized[] = [];
  let file = 0;
  // A file must be larger than this to be among them.
  let floor = -1;
  // By their numbers: an item for each of 80,000 files takes longer than all else here.
  for (const sizes of items.sizes()) {
    for (const size of sizes) {
      bytes += size;
      if (size > floor) {
        keepLargest(largest, { file, size });
        floor = largest[LARGEST - 1]?.size ?? -1;
      }
      file++;
    }
  }
  return {
    bytes,
    largest: withPaths(largest, items),
    ...findSecrets(folder, suspects),
    ...(mayCollide ? compareNames(items) : UNLIKE),
  };
}

function findSecrets(
  folder: ContextFolder,
  suspects: readonly BytePath[],
): Pick<Health, "secrets" | "unchecked"> {
  const secrets: { path: BytePath; kind: SecretKind }[] = [];
  let looks = 0;
  for (const path of suspects) {
    const suspicion = suspicionOf(path);
    if (suspicion === null) continue;
    const look = suspicion.content === null || looks++ < LIMITS.secretLooks;
    const start =
      look && suspicion.content !== null ? readStart(folder, path, LIMITS.secretLookBytes) : EMPTY;
    if (look && start !== null && isSecret(suspicion, start)) secrets.push({ path, kind: suspicion.kind });
  }
  return { secrets, unchecked: Math.max(0, looks - LIMITS.secretLooks) };
}

function compareNames(items: TreeItems): Pick<Health, "caseCollisions" | "decomposed"> {
  const caseCollisions: BytePath[] = [];
  const folded = new Set<string>();
  let decomposed = 0;
  for (const { path } of items) {
    const lower = patternText(path).toLowerCase();
    if (folded.has(lower)) caseCollisions.push(path);
    else folded.add(lower);
    if (isDecomposed(path)) decomposed++;
  }
  return { caseCollisions, decomposed };
}

const UNLIKE = { caseCollisions: [], decomposed: 0 } as const;
const EMPTY = new Uint8Array();

/** A file by its number, and its bytes. */
type Sized = { readonly file: number; readonly size: number };

function withPaths(sized: readonly Sized[], items: ListedItems): Health["largest"] {
  const paths = items.filePaths(new Set(sized.map(({ file }) => file)));
  return sized.flatMap(({ file, size }) => {
    const path = paths.get(file);
    return path === undefined ? [] : [{ path, size }];
  });
}

function keepLargest(largest: Sized[], one: Sized): void {
  const at = largest.findIndex(({ size }) => size < one.size);
  largest.splice(at === -1 ? largest.length : at, 0, one);
  if (largest.length > LARGEST) largest.pop();
}

function isDecomposed(path: BytePath): boolean {
  const text = isAscii(path) ? null : exactText(path);
  return text !== null && text.normalize("NFC") !== text;
}
