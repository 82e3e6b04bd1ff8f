import { Failure } from "../base/failure.ts";
import type { StepOutput } from "./report-rows.ts";

/** Characters that runners take in the name of an output. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/u;
/** Ceiling for one value: what a runner hands on through the environment has to fit there. */
const VALUE_CHARS = 65_536;

/**
 * The lines for $GITHUB_OUTPUT. Each value stands between delimiters that nobody can guess: with `name=value` a line
 * break in a value would be the next output. `delimiter` is random, letters and digits.
 */
export function renderOutputs(outputs: readonly StepOutput[], delimiter: string): string {
  return outputs
    .map(({ name, value, grammar }) => {
      const fits = grammar.test(value) && !/[\r\n]/u.test(value) && value.length <= VALUE_CHARS;
      if (!fits || !NAME.test(name) || value.includes(delimiter)) {
        // The value is not shown: it is not what it was meant to be.
        throw new Failure("output_not_written", `the step output "${name}" is not what it may be`);
      }
      return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
    })
    .join("");
}
