/** Wakes one mutant after the other and asks the tests that reach it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTestFile, type Limits } from "./limited-run.ts";
import { mutatedTree } from "./mutated-tree.ts";
import type { Mutant } from "./schemata.ts";

export type Fate = "killed" | "survived" | "unreached";
export type Tried = { readonly mutant: Mutant; readonly fate: Fate };

export type Guarded = {
  /** Relative to the root of the tree. */
  readonly files: readonly string[];
  readonly tests: readonly string[];
};

type Ways = {
  /** Whether tests use fast-check. */
  readonly properties: boolean;
  /** What each run may take besides a multiple of what it takes anyhow. */
  readonly cpuSeconds: number;
};

/** The same values in every run: a property that finds a mutant by luck finds it again. */
const PRELOAD = 'import fc from "fast-check";\nfc.configureGlobal({ seed: 20_261_121 });\n';

/** A test that does not pass on the tree as it is ends everything: nothing could be told by it. */
export async function tryMutants(
  root: string,
  { files, tests }: Guarded,
  say: (line: string) => void,
  { properties, cpuSeconds }: Ways = { properties: true, cpuSeconds: 5 },
): Promise<Tried[]> {
  using tree = mutatedTree(root, files);
  const preload = properties ? join(tree.path, "same-values.ts") : null;
  if (preload !== null) writeFileSync(preload, PRELOAD);
  const guards: { readonly test: string; readonly reached: ReadonlySet<number>; readonly ms: number }[] = [];
  for (const test of tests) {
    tree.record();
    const { passed, ms } = await runTestFile(tree.path, test, { cpuSeconds: 120, wallMs: 300_000 }, preload);
    if (!passed) throw new Error(`${test} fails without any mutant`);
    guards.push({ test, reached: tree.reached(), ms });
  }
  guards.sort((a, b) => a.ms - b.ms);
  say(
    `${tree.mutants.length} mutants; ${guards.map(({ test, ms }) => `${test} ${ms.toFixed(0)} ms`).join(", ")}`,
  );
  const tried: Tried[] = [];
  for (const mutant of tree.mutants) {
    const reaching = guards.filter(({ reached }) => reached.has(mutant.id));
    tree.choose(mutant);
    let fate: Fate = reaching.length === 0 ? "unreached" : "survived";
    for (const { test, ms } of reaching) {
      if (!(await kills(tree.path, test, ms, cpuSeconds, preload))) continue;
      fate = "killed";
      break;
    }
    tried.push({ mutant, fate });
    if (fate !== "killed") say(`${fate}: ${mutant.file}:${mutant.line} ${mutant.name}`);
  }
  return tried;
}

const MOST_REPEATS = 3;

async function kills(
  folder: string,
  test: string,
  ms: number,
  cpuSeconds: number,
  preload: string | null,
): Promise<boolean> {
  const limits: Limits = { cpuSeconds: cpuSeconds + Math.ceil(ms / 500), wallMs: 60_000 + ms * 10 };
  for (let repeat = 0; ; repeat++) {
    const { passed, wasStopped } = await runTestFile(folder, test, limits, preload);
    if (passed) return false;
    if (!wasStopped || repeat === MOST_REPEATS) return true;
  }
}
