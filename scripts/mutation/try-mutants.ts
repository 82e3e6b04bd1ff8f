/** Wakes one mutant after the other and asks the tests that reach it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runBatchIn } from "./limited-run.ts";
import { mutatedTree, type MutatedTree } from "./mutated-tree.ts";
import { rememberedKills } from "./remembered-kills.ts";
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
  /** What one mutant may take besides a multiple of what the tests take anyhow. */
  readonly cpuSeconds: number;
  /** Where kills are kept between runs; null for nowhere. */
  readonly memory: string | null;
};

/** A test file, and which mutants it asks for. */
type Guard = ReturnType<MutatedTree["reached"]> & { readonly test: string; readonly ms: number };

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
  const run: RunBatch = (of, mutants, limit, awake = 0) => {
    const paths = of.map((test) => join(tree.path, test));
    return runBatchIn(tree.path, { tests: paths, awake, mutants, asked: tree.asked }, limit, preload);
  };

  const guards: Guard[] = [];
  for (const test of tests) {
    tree.record();
    const started = performance.now();
    const steps = await run([test], [], 120);
    if (steps.at(-1) !== "ends") throw new Error(`${test} fails without any mutant`);
    guards.push({ test, ms: performance.now() - started, ...tree.reached() });
  }
  const limitFor = (ms: number): number => cpuSeconds + Math.ceil(ms / 250);
  const killed = new Set(
    tree.mutants.filter((mutant) => remembered?.has(mutant) === true).map(({ id }) => id),
  );
  say(`${tree.mutants.length} mutants, ${killed.size} of them killed before`);
  const alive = (): number[] => tree.mutants.map(({ id }) => id).filter((id) => !killed.has(id));
  const kill = (id: number, test: string): void => {
    killed.add(id);
    const mutant = tree.mutants.find((one) => one.id === id);
    if (mutant !== undefined) remembered?.add(mutant, test);
  };
  const notTried = new Map<number, Guard[]>();
  for (const guard of guards) {
    const { test, ms, load, run: asked } = guard;
    const waiting = alive().filter((id) => asked.has(id) && !load.has(id));
    tree.choose(0);
    const found = await killedTogether(waiting, (mutants) => run([test], mutants, limitFor(ms)));
    for (const id of found ?? []) kill(id, test);
    say(`${test}: ${ms.toFixed(0)} ms, kills ${found?.size ?? "none together"} of ${waiting.length}`);
    for (const id of [...load, ...(found === null ? waiting : [])])
      notTried.set(id, [...(notTried.get(id) ?? []), guard]);
  }
  // A mutant that is asked for when a module is read needs a process of its own.
  for (const [id, reaching] of notTried) {
    if (killed.has(id)) continue;
    const ms = reaching.reduce((sum, guard) => sum + guard.ms, 0);
    const tests = reaching.map(({ test }) => test);
    tree.choose(id);
    const last = (await run(tests, [], limitFor(ms), id)).at(-1) ?? "";
    if (last !== "ends") kill(id, tests.find((test) => last.endsWith(test)) ?? tests[0] ?? "");
  }
  const isReached = (id: number): boolean =>
    guards.some(({ load, run: asked }) => load.has(id) || asked.has(id));
  return tree.mutants.map((mutant) => ({
    mutant,
    fate: killed.has(mutant.id) ? "killed" : isReached(mutant.id) ? "survived" : "unreached",
  }));
}

type RunBatch = (
  tests: readonly string[],
  mutants: readonly number[],
  limit: number,
  awake?: number,
) => Promise<string[]>;

/** Those that one test file kills, by a process that wakes one after the other; null when it cannot be repeated. */
async function killedTogether(
  mutants: readonly number[],
  run: (mutants: readonly number[]) => Promise<string[]>,
): Promise<Set<number> | null> {
  const killed = new Set<number>();
  let waiting = [...mutants];
  while (waiting.length > 0) {
    const steps = await run(waiting);
    if (!steps.includes("loaded") || steps.at(-1) === "spoilt") return null;
    const told = new Set<number>();
    for (const step of steps) {
      const [word, id] = step.split(" ");
      if (word === "kills" || word === "passes") told.add(Number(id));
      if (word === "kills") killed.add(Number(id));
    }
    // Whoever was at work when the process ended took too long, or ended it.
    const [word, id] = (steps.at(-1) ?? "").split(" ");
    if (word === "tries") {
      told.add(Number(id));
      killed.add(Number(id));
    }
    if (told.size === 0) throw new Error(`${waiting.length} mutants told nothing: ${steps.join(", ")}`);
    waiting = waiting.filter((one) => !told.has(one));
  }
  return killed;
}
