import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { fs } from "../host/file-system.ts";
import { reason, writeAll, writeAtomic } from "../host/files.ts";
import type { CiWishes } from "./ci-wishes.ts";
import { runnerFile } from "./ci-runner.ts";
import { renderJunit } from "./junit.ts";
import type { Redactor } from "./redactor.ts";
import type { Report, StepOutput } from "./report-rows.ts";
import { renderOutput } from "./step-outputs.ts";
import { renderSummary } from "./step-summary.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What came of a run, for those who did not read its result. */
export type Ended = {
  /** `promote`, `verify pin`. */
  readonly command: string;
  readonly exit: ExitCode;
  /** Absent when the command failed before its work began. */
  readonly report: Report | undefined;
  readonly failures: readonly Failure[];
};

export type Told = { readonly warnings: readonly string[]; readonly failure: Failure | null };

/**
 * Before anything is sent: throws `output_not_written` when the step outputs have no place.
 */
export function refuseMissingOutputs(env: Environment): void {
  const path = runnerFile(env, "GITHUB_OUTPUT");
  if (path === null) {
    throw new Failure("output_not_written", "--require-outputs: $GITHUB_OUTPUT is not set", {
      hint: "run it in a step of GitHub, Gitea or Forgejo Actions, or leave the flag out",
    });
  }
  try {
    withAppended(path, () => {});
  } catch (error) {
    throw notWritten("the step outputs", path, error);
  }
}

/** Writes the files by which CI systems learn of a run: step outputs, step summary, JUnit report. */
export class CiReport {
  readonly #env: Environment;
  readonly #redactor: Redactor;
  readonly #random: () => string;

  /** `random` gives letters and digits that nobody can guess. */
  constructor(env: Environment, redactor: Redactor, random: () => string) {
    this.#env = env;
    this.#redactor = redactor;
    this.#random = random;
  }

  write(ended: Ended, wishes: CiWishes): Told {
    const outputs = attempt(() => this.#writeOutputs(ended));
    const summary = attempt(() => this.#writeSummary(ended));
    const junit = attempt(() => this.#writeJunit(ended, wishes.junit));
    // A file that was asked for by name is part of the result; what a runner offers is not.
    const failure = junit ?? (wishes.requireOutputs ? outputs : null);
    const warnings = [outputs, summary].filter((one) => one !== null && one !== failure);
    return { warnings: warnings.flatMap((one) => (one === null ? [] : [one.message])), failure };
  }

  #writeOutputs({ exit, report, failures }: Ended): void {
    const path = runnerFile(this.#env, "GITHUB_OUTPUT");
    if (path === null) return;
    const all: StepOutput[] = [
      { name: "ok", value: String(exit === EXIT.ok), grammar: /^(?:true|false)$/u },
      { name: "exit_code", value: String(exit), grammar: /^\d{1,3}$/u },
      {
        name: "outcome",
        value: report?.outcome ?? failures[0]?.code ?? "failed",
        grammar: /^[a-z_]{1,64}$/u,
      },
      ...(report?.outputs ?? []),
    ];
    const delimiter = `waybill${this.#random()}`;
    let text = "";
    let refused: Failure | null = null;
    for (const output of all) {
      const rendered = renderOutput(output, delimiter);
      if (rendered instanceof Failure) refused ??= rendered;
      else text += rendered;
    }
    try {
      withAppended(path, (descriptor) => writeAll(descriptor, new TextEncoder().encode(text)));
    } catch (error) {
      throw notWritten("the step outputs", path, error);
    }
    // One that may not be written keeps no other from those who wait for it.
    if (refused !== null) throw refused;
  }

  #writeSummary({ command, exit, report, failures }: Ended): void {
    const path = runnerFile(this.#env, "GITHUB_STEP_SUMMARY");
    if (path === null) return;
    const clean = (text: string): string => this.#redactor.clean(text);
    const rows = report?.rows ?? [];
    const proven = rows.filter(({ isProven }) => isProven).length;
    const table =
      rows.length > 0 && report !== undefined
        ? { columns: report.columns, rows: rows.map(({ cells }) => cells.map(clean)) }
        : {
            columns: ["code", "what happened"],
            rows: failures.map(({ code, message }) => [code, clean(message)]),
          };
    const title = `waybill ${command}: ${wordOf(exit)}, ${proven} of ${rows.length} proven, exit code ${exit}`;
    try {
      withAppended(path, (descriptor, size) => {
        const text = renderSummary({ title, ...table }, LIMITS.stepSummaryBytes - size);
        if (text === null) throw new Error("it is full");
        writeAll(descriptor, new TextEncoder().encode(text));
      });
    } catch (error) {
      throw notWritten("the step summary", path, error);
    }
  }

  #writeJunit({ command, report, failures }: Ended, path: string | null): void {
    if (path === null) return;
    const name = `waybill ${command}`;
    const rows = report?.rows ?? [];
    const early = { name, group: "waybill", failure: failures[0] ?? null, ms: 0 };
    const text = renderJunit({ name, rows: rows.length > 0 ? rows : [early] }, (one) =>
      this.#redactor.clean(one),
    );
    try {
      writeAtomic(path, text, 0o644);
    } catch (error) {
      throw notWritten("the JUnit report", path, error);
    }
  }
}

function wordOf(exit: ExitCode): string {
  if (exit === EXIT.ok) return "OK";
  return exit === EXIT.changes ? "CHANGES" : "FAILED";
}

/**
 * A file that the runner made and others append to as well. It is not created: a path that does not exist is none
 * that the runner reads.
 */
function withAppended(path: string, act: (descriptor: number, size: number) => void): void {
  const descriptor = fs().openSync(
    path,
    fs().constants.O_WRONLY | fs().constants.O_APPEND | fs().constants.O_NONBLOCK,
  );
  try {
    const status = fs().fstatSync(descriptor);
    if (!status.isFile()) throw new Error("it is not a regular file");
    act(descriptor, status.size);
  } finally {
    fs().closeSync(descriptor);
  }
}

function attempt(act: () => void): Failure | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function notWritten(what: string, path: string, error: unknown): Failure {
  const why = error instanceof Error && !("code" in error) ? error.message : reason(error);
  return new Failure("output_not_written", `${what} could not be written to ${quoted(path)}: ${why}`);
}
