import { LIMITS } from "../base/limits.ts";
import { exactText, isAscii, locate, patternText, type BytePath } from "./byte-path.ts";
import { readStart } from "./reread.ts";
import { isSecret, suspicionOf, type SecretKind } from "./secret-files.ts";
import type { TreeItem } from "./tree-digests.ts";

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
 * `mayCollide` is false when all names are ASCII and none in one directory are one where letter case does not count.
 */
export function examine(root: string, items: readonly TreeItem[], mayCollide: boolean): Health {
  const largest: { path: BytePath; size: number }[] = [];
  const secrets: { path: BytePath; kind: SecretKind }[] = [];
  const caseCollisions: BytePath[] = [];
  const folded = new Set<string>();
  let [bytes, decomposed, looks] = [0, 0, 0];
  for (const { path, kind, content } of items) {
    if (mayCollide) {
      const lower = patternText(path).toLowerCase();
      if (folded.has(lower)) caseCollisions.push(path);
      else folded.add(lower);
      if (isDecomposed(path)) decomposed++;
    }
    if (kind !== "file") continue;
    const { size } = content;
    bytes += size;
    if (largest.length < LARGEST || size > (largest.at(-1)?.size ?? 0)) keepLargest(largest, { path, size });
    const suspicion = suspicionOf(path);
    if (suspicion === null) continue;
    const look = suspicion.content === null || looks++ < LIMITS.secretLooks;
    const start =
      look && suspicion.content !== null ? readStart(locate(root, path), LIMITS.secretLookBytes) : EMPTY;
    if (look && start !== null && isSecret(suspicion, start)) secrets.push({ path, kind: suspicion.kind });
  }
  return {
    bytes,
    largest,
    secrets,
    unchecked: Math.max(0, looks - LIMITS.secretLooks),
    caseCollisions,
    decomposed,
  };
}

const EMPTY = new Uint8Array();

function keepLargest(
  largest: { path: BytePath; size: number }[],
  one: { path: BytePath; size: number },
): void {
  const at = largest.findIndex(({ size }) => size < one.size);
  largest.splice(at === -1 ? largest.length : at, 0, one);
  if (largest.length > LARGEST) largest.pop();
}

function isDecomposed(path: BytePath): boolean {
  const text = isAscii(path) ? null : exactText(path);
  return text !== null && text.normalize("NFC") !== text;
}
