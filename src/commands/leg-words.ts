import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import type { Leg } from "../pins/leg.ts";

/** What the legs found beside their verdicts. */
export function warnOfLegs(legs: readonly Leg[], world: World): void {
  for (const { target, warnings } of legs)
    for (const { message } of warnings) world.say.warn(`${target.env}: ${message}`);
}

/** The same failure, saying in which environment. */
export function inEnvironment(env: string, failure: Failure): Failure {
  return new Failure(failure.code, `${env}: ${failure.message}`, failure);
}
