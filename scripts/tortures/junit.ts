/** What a report of `bun test` says of one file: its cases, and those that failed. */
export type FileCount = {
  readonly tried: number;
  readonly survived: number;
  readonly failed: readonly string[];
};

const CASE = /<testcase name="([^"]*)"[^>]*? file="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gsu;

/** Counts by file, those that were skipped left out. */
export function countByFile(xml: string): ReadonlyMap<string, FileCount> {
  const counts = new Map<string, FileCount>();
  for (const [, name = "", file = "", inside = ""] of xml.matchAll(CASE)) {
    if (inside.includes("<skipped")) continue;
    const { tried, survived, failed } = counts.get(file) ?? { tried: 0, survived: 0, failed: [] };
    const isFailed = /<(?:failure|error)\b/u.test(inside);
    counts.set(file, {
      tried: tried + 1,
      survived: survived + (isFailed ? 0 : 1),
      failed: isFailed ? [...failed, name] : failed,
    });
  }
  return counts;
}
