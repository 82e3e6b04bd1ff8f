import { Failure } from "../base/failure.ts";
import type { JsonValue } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { readCiEvent } from "../source/ci-event.ts";
import { proposedChange } from "../source/proposed-change.ts";

export const EVENT_FLAGS = {
  "allow-event": {
    type: "string",
    valueHint: "NAME",
    repeat: true,
    description: "promote from a run for a proposed change too, such as pull_request; never from a fork",
  },
} as const;

/**
 * Refuses a run for a change that nobody has accepted yet: whoever proposes it decides what the run does. Throws
 * Failure `policy_denied` before anything is read or sent.
 */
export function refuseProposedChange(allowed: readonly string[], world: World): void {
  const change = proposedChange(world.env, payloadOf(world));
  if (change === null) return;
  const shown = quoted(change.event, 60);
  const name = change.event.replace(/^workflow_run of /u, "");
  if (!allowed.includes(name)) {
    throw new Failure(
      "policy_denied",
      `this run is for the event ${shown}, whose change nobody has accepted yet`,
      {
        hint: `promote from the branch, or pass --allow-event ${/^[A-Za-z_]{1,40}$/u.test(name) ? name : "NAME"}`,
      },
    );
  }
  if (change.isFork === false) return;
  const found = change.isFork === true ? "comes from a fork" : "does not say where it comes from";
  throw new Failure("policy_denied", `the change of the event ${shown} ${found}: it may not promote`, {
    hint: "promote from the branch once the change is accepted",
  });
}

/** The event of this run; null when there is none, or none that can be read: then nothing speaks for the run. */
function payloadOf({ env }: World): JsonValue {
  const event = env["GITHUB_EVENT_NAME"] ?? "";
  const isWritten = event.startsWith("pull_request") || event === "workflow_run";
  return isWritten ? readCiEvent(env["GITHUB_EVENT_PATH"] ?? null) : null;
}
