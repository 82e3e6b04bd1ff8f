/** Writes docs/performance.md and the plots from what the benches kept: [--check]. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performancePage } from "./page.ts";
import { plotOf } from "./plot.ts";
import type { Result } from "./result.ts";

const ROOT = join(import.meta.dir, "../../..");
const NOTES = join(import.meta.dir, "../notes");
export const RESULTS: string = join(ROOT, "docs/performance");

/** Each file of the page, by its path, and what it has to be. */
export function performanceFiles(): Map<string, string> {
  const results = readdirSync(RESULTS)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), "utf8")) as Result);
  const notes = readdirSync(NOTES).map(
    (name) => [name.replace(/\.md$/u, ""), readFileSync(join(NOTES, name), "utf8")] as const,
  );
  const plots = results.map((result) => [join(RESULTS, `${result.bench}.svg`), plotOf(result)] as const);
  return new Map([[join(ROOT, "docs/performance.md"), performancePage(results, new Map(notes))], ...plots]);
}

export function writePage(): void {
  for (const [path, text] of performanceFiles()) writeFileSync(path, text);
}

if (import.meta.main) {
  if (process.argv[2] === "--check") {
    const stale = [...performanceFiles()].filter(
      ([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text,
    );
    for (const [path] of stale) console.error(`${path} is stale: run scripts/bench --write`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else writePage();
}
