import { paths } from "./file-system.ts";
import { randomHex } from "./random.ts";

const RANDOM_BYTES = 6;

/** A part of the name is enough to know it by: the whole of a long one would leave no room for the rest. */
function stemOf(path: string): string {
  return paths().basename(path).slice(0, 50);
}

/** A name for what is written before it takes the place of `path`. */
export function newPendingName(path: string): string {
  return `.${stemOf(path)}.${randomHex(RANDOM_BYTES)}.tmp`;
}

/** The names that `newPendingName` gives, as a pattern of git's ignore files. */
export function pendingPattern(path: string): string {
  const stem = stemOf(path).replaceAll(/[*?[\]\\]/gu, String.raw`\$&`);
  return `.${stem}.${"[0-9a-f]".repeat(2 * RANDOM_BYTES)}.tmp`;
}

/** Whether a name is one of them. */
export function isPendingName(path: string, name: string): boolean {
  const [before, after] = [`.${stemOf(path)}.`, ".tmp"];
  if (!name.startsWith(before) || !name.endsWith(after)) return false;
  const random = name.slice(before.length, -after.length);
  return random.length === 2 * RANDOM_BYTES && /^[0-9a-f]+$/u.test(random);
}
