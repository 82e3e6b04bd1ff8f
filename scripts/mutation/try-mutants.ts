/** Wakes one mutant after the other and asks the tests that reach it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTestFiles, type Ended, type Limits } from "./limited-run.ts";
import { mutatedTree } from "./mutated-tree.ts";
import { rememberedKills } from "./remembered-kills.ts";
import type { Mutant } from "./schemata.ts";

export type Fate = "killed" | "survived" | "unreached";
export type Tried = { readonly mutant: Mutant; readonly fate: Fate };

export type Guarded = {
  /** Relative to the root of the tree. */
  readonly files: readonly string[];
  readonly tests: readonly string[];
};

/** A test file, and which mutants it asks for. */
type Guard = { readonly test: string; readonly reached: ReadonlySet<number>; readonly ms: number };

type Ways = {
  /** Whether tests use fast-check. */
  readonly properties: boolean;
  /** What each run may take besides a multiple of what it takes anyhow. */
  readonly cpuSeconds: number;
  /** Where kills are kept between runs; null for nowhere. */
  readonly memory: string | null;
};

/** The same values in every run: a property that finds a mutant by luck finds it again. */
const PRELOAD = 'import fc from "fast-check";\nfc.configureGlobal({ seed: 20_261_121 });\n';

/** A test that does not pass on the tree as it is ends everything: nothing could be told by it. */
export async function tryMutants(
  root: string,
  { files, tests }: Guarded,
  say: (line: string) => void,
  { properties, cpuSeconds, memory }: Ways,
): Promise<Tried[]> {
  // Read before the copy is made: whoever edits a test meanwhile is not believed.
  const remembered = memory === null ? null : rememberedKills(root, memory, [...files, ...tests]);
  using tree = mutatedTree(root, files);
  const preload = properties ? join(tree.path, "same-values.ts") : null;
  if (preload !== null) writeFileSync(preload, PRELOAD);
  const guards: Guard[] = [];
  for (const test of tests) {
    tree.record();
    const { passed, ms } = await runTestFiles(
      tree.path,
      [test],
      { cpuSeconds: 120, wallMs: 300_000 },
      preload,
    );
    if (!passed) throw new Error(`${test} fails without any mutant`);
    guards.push({ test, reached: tree.reached(), ms });
  }
  guards.sort((a, b) => a.ms - b.ms);
  say(
    `${tree.mutants.length} mutants; ${guards.map(({ test, ms }) => `${test} ${ms.toFixed(0)} ms`).join(", ")}`,
  );
  const tried: Tried[] = [];
  // Whoever killed most of a file's mutants is asked first about the next one of it.
  const killers = new Map<string, number>();
  const killedBy = ({ file }: Mutant, test: string): number => killers.get(`${file} ${test}`) ?? 0;
  for (const mutant of tree.mutants) {
    if (remembered?.has(mutant) === true) {
      tried.push({ mutant, fate: "killed" });
      continue;
    }
    const reaching = guards
      .filter(({ reached }) => reached.has(mutant.id))
      .toSorted((a, b) => killedBy(mutant, b.test) - killedBy(mutant, a.test));
    const [first, ...others] = reaching;
    tree.choose(mutant);
    let fate: Fate = first === undefined ? "unreached" : "survived";
    // The others together, in one process: starting takes longer than most of them.
    for (const group of [first === undefined ? [] : [first], others]) {
      if (group.length === 0) continue;
      const { passed, failedIn } = await ask(tree.path, group, cpuSeconds, preload);
      if (passed) continue;
      fate = "killed";
      if (failedIn === null) break;
      killers.set(`${mutant.file} ${failedIn}`, killedBy(mutant, failedIn) + 1);
      remembered?.add(mutant, failedIn);
      break;
    }
    tried.push({ mutant, fate });
    if (fate !== "killed") say(`${fate}: ${mutant.file}:${mutant.line} ${mutant.name}`);
  }
  return tried;
}

const MOST_REPEATS = 3;

async function ask(
  folder: string,
  guards: readonly Guard[],
  cpuSeconds: number,
  preload: string | null,
): Promise<Ended> {
  const ms = guards.reduce((sum, guard) => sum + guard.ms, 0);
  const tests = guards.map(({ test }) => test);
  const limits: Limits = { cpuSeconds: cpuSeconds + Math.ceil(ms / 500), wallMs: 60_000 + ms * 10 };
  for (let repeat = 0; ; repeat++) {
    const ended = await runTestFiles(folder, tests, limits, preload);
    if (ended.passed || !ended.wasStopped || repeat === MOST_REPEATS) return ended;
  }
}
