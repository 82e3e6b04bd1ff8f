import { Failure } from "../../base/failure.ts";
import { isTold } from "../../base/instant.ts";
import { quoted } from "../../base/printable.ts";
import type { Wanted } from "../assigned/ask.ts";
import { raisedFloor } from "../on-host/spec.ts";
import type { Stated } from "../on-host/stated.ts";
import { compareVersions } from "../version-order.ts";
import type { Warning } from "../warning.ts";
import type { Facts } from "./next-step.ts";

/**
 * What signed bytes cannot say for themselves: that they are old, or not meant to be staged any more. It never stops
 * what runs: a host whose metadata ran out is better off with the add-on that it has.
 */
export function statementProblem(wanted: Wanted, facts: Facts): Failure | null {
  const { stated, statedBefore, now, active } = facts;
  if (stated === null && statedBefore && !facts.allowUnsigned) {
    return new Failure(
      "statement_missing",
      "the artifact comes without a signed statement; earlier ones of this add-on had one",
      {
        hint: "a statement that vanished is how an old artifact is passed off as a new one; publish one with it",
      },
    );
  }
  if (wanted.sha256 === active) return null;
  if (stated !== null && isExpired(stated, now)) {
    return new Failure(
      "statement_expired",
      `the statement about version ${quoted(wanted.version)} ${endedBy(stated, now)}${timeOf(now)}`,
      { hint: "publish it again; when this host's clock was wrong once, remove clock.json from its root" },
    );
  }
  const floor = raisedFloor(facts.minimumVersion, stated?.minimum_version ?? "");
  if (floor === "" || compareVersions(wanted.version, floor) !== "older") return null;
  return new Failure(
    "downgrade_refused",
    `version ${quoted(wanted.version)} is older than ${quoted(floor)}, the oldest that its publisher allows`,
    { hint: "no override lifts this: a signed statement says that older versions are not to be used" },
  );
}

/** Without the time: a warning that is the same one in the next run is told once. */
function endedBy({ expires }: Stated, now: Date): string {
  if (isTold(now)) return `ended at ${expires}`;
  return `ends at ${expires}, and clock.json, which says whether that is over, cannot be read`;
}

function timeOf(now: Date): string {
  return isTold(now) ? `; it is ${now.toISOString()}` : "";
}

export function isExpired({ expires }: Pick<Stated, "expires">, now: Date): boolean {
  return expires !== "" && Date.parse(expires) <= now.getTime();
}

export function statementWarnings(wanted: Wanted, { stated, statedBefore, now }: Facts): Warning[] {
  const about = `add-on ${quoted(wanted.id)}`;
  if (stated === null) {
    if (!statedBefore) return [];
    const message = `${about} had a signed statement before and has none any more; --allow-unsigned lets it pass`;
    return [{ code: "statement_vanished", message }];
  }
  if (!isExpired(stated, now)) return [];
  const message = `${about}: the statement about ${quoted(wanted.version)} ${endedBy(stated, now)}; what runs goes on`;
  return [{ code: "statement_expired", message }];
}
