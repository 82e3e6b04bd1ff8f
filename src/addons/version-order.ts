/**
 * The order of versions, for the downgrade guard. A version is `v`? numbers separated by dots, then perhaps `-` and
 * a pre-release, then perhaps `+` and a build:
 *
 *   numbers      compared one by one as whole numbers, a missing one counts as 0: 1.2 = 1.2.0 < 1.10 < 2026.05.1
 *   pre-release  comes before its release; its parts are compared as in Semantic Versioning 2.0.0 §11:
 *                1.0.0-rc.9 < 1.0.0-rc.10 < 1.0.0
 *   build        says nothing about the order
 *
 * Anything else (a digest, a date with letters, a release with a number of more than 15 digits) has no place in it.
 */
export type VersionOrder = "older" | "same" | "newer" | "incomparable";

type Version = { readonly numbers: readonly string[]; readonly parts: readonly string[] | null };

/** A number that no counter reaches honestly must not bar every later version. */
const SHAPE = /^v?(\d{1,15}(?:\.\d{1,15}){0,15})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/u;

/** How `a` stands to `b`. */
export function compareVersions(a: string, b: string): VersionOrder {
  const [left, right] = [parse(a), parse(b)];
  if (left === null || right === null) return "incomparable";
  const order = compareNumbers(left.numbers, right.numbers) || compareParts(left.parts, right.parts);
  return order === 0 ? "same" : order < 0 ? "older" : "newer";
}

/** The mark after `version` was put in place: it never goes down, and jumps to what cannot be compared. */
export function higherVersion(mark: string, version: string): string {
  const order = mark === "" ? "newer" : compareVersions(version, mark);
  return order === "older" || order === "same" ? mark : version;
}

function parse(text: string): Version | null {
  const [, numbers, parts] = SHAPE.exec(text) ?? [];
  if (numbers === undefined) return null;
  return { numbers: numbers.split("."), parts: parts?.split(".") ?? null };
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = compareDigits(a[index] ?? "", b[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: readonly string[] | null, b: readonly string[] | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return a.length - b.length;
    const order = comparePart(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const [left, right] = [/^\d+$/u.test(a), /^\d+$/u.test(b)];
  if (left && right) return compareDigits(a, b);
  if (left !== right) return left ? -1 : 1;
  return compareText(a, b);
}

/** Of any length: the times in nightly builds have 17 digits, of which a double takes neighbours for one. */
function compareDigits(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/u, ""), b.replace(/^0+/u, "")];
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
