/** What one process does in the copy: it loads a test file once and runs it for one mutant after the other. */
import { appendFileSync, readFileSync } from "node:fs";
import { runCollected, startFile } from "./collected-tests.ts";
import { state, wake } from "./awake.ts";

export type Plan = {
  /** Absolute paths of test files: one for many mutants, or some for the one that is awake. */
  readonly tests: readonly string[];
  /** The one that is awake from the start; 0 for none. */
  readonly awake: number;
  readonly mutants: readonly number[];
  /** Where each step is written down, a line each: whoever started us may have to end us. */
  readonly log: string;
  /** The module that mutated files ask. */
  readonly asked: string;
};

const STOPPED_MS = 3_000;

/** `plan`: the path of a Plan as JSON. */
export async function runBatch(plan: string): Promise<void> {
  const { tests, awake, mutants, log, asked } = JSON.parse(readFileSync(plan, "utf8")) as Plan;
  const say = (line: string): void => appendFileSync(log, `${line}\n`);
  state.awake = awake;
  for (const test of tests) {
    say(`reads ${test}`);
    startFile();
    state.phase = "load";
    await import(test);
    state.phase = "run";
    if (!(await passes())) return;
  }
  // Once more: what cannot be repeated tells nothing about the second mutant.
  if (mutants.length > 0 && !(await passes())) return say("unrepeatable");
  say("loaded");
  for (const mutant of mutants) {
    say(`tries ${mutant}`);
    wake(asked, mutant);
    const passed = await passes();
    wake(asked, 0);
    say(`${passed ? "passes" : "kills"} ${mutant}`);
  }
  // A mutant may have left something behind that killed those after it.
  const isClean = mutants.length === 0 || (await passes());
  say(isClean ? "ends" : "spoilt");
}

async function passes(): Promise<boolean> {
  for (;;) {
    let last = performance.now();
    let wasStopped = false;
    const look = (): void => {
      const now = performance.now();
      if (now - last > STOPPED_MS) wasStopped = true;
      last = now;
    };
    const looks = setInterval(look, 250);
    const passed = await runCollected().then(
      () => true,
      () => false,
    );
    clearInterval(looks);
    // Stopped from outside for a while: whatever it waited for may have been late.
    if (passed || !wasStopped) return passed;
  }
}
