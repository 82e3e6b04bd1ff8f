/**
 * The order of version names: numbers by value, a pre-release (`v1.0-rc1`) before its release, the rest by character.
 * Ascending, total, and the same on every machine.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = comparePart(left[index] ?? "", right[index] ?? "");
    if (order !== 0) return order;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function partsOf(name: string): readonly string[] {
  return name.match(/\d+|\D+/gu) ?? [];
}

function comparePart(a: string, b: string): number {
  if (a === b) return 0;
  const numbers = /\d/u.test(a) && /\d/u.test(b);
  if (numbers) {
    const [left, right] = [BigInt(a), BigInt(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  // A name that goes on as a pre-release is before the shorter one, and any other is behind it.
  if (/^[-~]/u.test(a) !== /^[-~]/u.test(b)) return /^[-~]/u.test(a) ? -1 : 1;
  return a < b ? -1 : 1;
}
