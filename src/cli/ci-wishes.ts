import { runnerFile } from "./ci-runner.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a run is asked to leave for CI systems, beside what their variables ask for. */
export type CiWishes = {
  /** Absolute path of the JUnit report that was asked for. */
  readonly junit: string | null;
  /** Without the step outputs the run counts as failed. */
  readonly requireOutputs: boolean;
};

/** Whether there is anything to write: outside of CI systems there mostly is not, and what writes is not loaded. */
export function wantsCiFiles({ junit, requireOutputs }: CiWishes, env: Environment): boolean {
  return (
    junit !== null ||
    requireOutputs ||
    runnerFile(env, "GITHUB_OUTPUT") !== null ||
    runnerFile(env, "GITHUB_STEP_SUMMARY") !== null
  );
}
