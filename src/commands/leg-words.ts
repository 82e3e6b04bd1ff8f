import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import { isTerminal, mayBeTerminal, terminalWidth } from "../host/descriptors.ts";
import type { Leg } from "../pins/leg.ts";
import { describeLegs } from "../pins/pin-document.ts";

/** What the legs found beside their verdicts. */
export function warnOfLegs(legs: readonly Leg[], world: World): void {
  for (const { target, warnings } of legs)
    for (const { message } of warnings) world.say.warn(`${target.env}: ${message}`);
}

/** The same failure, saying in which environment. */
export function inEnvironment(env: string, failure: Failure): Failure {
  return new Failure(failure.code, `${env}: ${failure.message}`, failure);
}

/** Why legs failed, each saying in which environment. */
export function failuresOf(legs: readonly Leg[]): Failure[] {
  const failures: Failure[] = [];
  for (const { target, failure } of legs)
    if (failure !== null) failures.push(inEnvironment(target.env, failure));
  return failures;
}

/** For a person at a terminal a table; for a script, which reads a pipe or a file, a line a leg with whole digests. */
export async function textOfLegs(legs: readonly Leg[], { env }: World): Promise<string> {
  if (!mayBeTerminal(env) || !isTerminal(1)) return describeLegs(legs);
  const { renderTable } = await import("../cli/table.ts");
  const { legTable } = await import("./leg-table.ts");
  const coloured = (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return renderTable(legTable(legs), { width: terminalWidth() ?? USUAL_WIDTH, coloured });
}

/** Of a terminal that does not say how wide it is. */
const USUAL_WIDTH = 80;
