import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { wasClosedAtStart } from "../host/descriptors.ts";
import { writeResult } from "../host/standard-output.ts";
import type { Outcome } from "./command.ts";
import type { Redactor } from "./redactor.ts";

export type Written = { readonly exit: ExitCode; readonly problem?: string };

/**
 * Writes the one result of a run to standard output. A reader that went away ends the run quietly with the
 * verdict's own code; any other failed write means that nobody got the result: 1, whatever the verdict was.
 */
export async function writeReport(
  schema: string,
  outcome: Outcome,
  asJson: boolean,
  redactor: Redactor,
): Promise<Written> {
  // Each string by itself, since JSON's escapes could hide a secret, and the rest once more for the names.
  const text = asJson
    ? `${JSON.stringify(documentOf(schema, outcome), (_name, value: unknown) => (typeof value === "string" ? redactor.clean(value) : value))}\n`
    : outcome.text;
  try {
    if (text !== "") {
      if (wasClosedAtStart(1)) throw new Error("it was closed before the start");
      await writeResult(redactor.clean(text));
    }
    return { exit: outcome.exit };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { exit: EXIT.internal, problem: `the result could not be written to standard output: ${reason}` };
  }
}

function documentOf(schema: string, outcome: Outcome): Record<string, unknown> {
  return {
    schema: `waybill.${schema}/v1`,
    ok: outcome.exit === EXIT.ok,
    exit_code: outcome.exit,
    ...outcome.document,
  };
}
