import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { StepOutput } from "./report-rows.ts";

/** Characters that runners take in the name of an output. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/u;
/** Ceiling for one value: what a runner hands on through the environment has to fit there. */
const VALUE_CHARS = 65_536;

/**
 * The lines of a value for $GITHUB_OUTPUT, between delimiters that nobody can guess: with `name=value` a line break in
 * the value would be the next output. `delimiter` is random, letters and digits. What may not be written is a Failure
 * `output_not_written`, which does not show it: it is not what it was meant to be.
 */
export function renderOutput({ name, value, grammar }: StepOutput, delimiter: string): string | Failure {
  if (value.length > VALUE_CHARS) {
    const message = `the step output "${name}" has more than ${VALUE_CHARS} characters and is left out`;
    return new Failure("output_not_written", message);
  }
  const fits = grammar.test(value) && !/[\r\n]/u.test(value) && !value.includes(delimiter);
  if (fits && NAME.test(name)) return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
  return new Failure("output_not_written", `the step output ${quoted(name, 60)} is not what it may be`);
}
