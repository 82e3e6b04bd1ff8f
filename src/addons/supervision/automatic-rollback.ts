import type { AuditLog } from "../audit/audit-log.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import { settledSpecs } from "../on-host/specs-file.ts";
import { rollBack, type RolledBack } from "../operations/roll-back.ts";
import type { FailureCode } from "../../base/exit-codes.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { readGate, writeGate } from "./gate-file.ts";
import { countFailure, MOST_FAILURES, stepBack, withTrial, type StayReason } from "./gate.ts";

const WHY: Readonly<Record<StayReason, readonly [FailureCode, string]>> = {
  nothing_active: ["nothing_checked", "nothing of it is in place"],
  is_known_good: [
    "rollback_target_missing",
    "what failed is the last known good; there is nothing to go back to",
  ],
  pinned: ["held_back", "what failed is pinned on this host"],
  went_back_before: [
    "rollback_repeated",
    "it went back from this version before, and somebody took it again",
  ],
  unwell_before: ["requirement_not_met", "what ran before was not well either"],
  same_probe: ["requirement_not_met", "what ran before failed the same probe, so it is this host's trouble"],
};

/** A job that failed, and may do so again before it counts. */
export type Counted = { readonly failures: number; readonly of: number };

/**
 * One step back from a version that fails, to the last known good, at most once for each pair of them; that it is
 * taken is on the disk before it is. Throws Failure when it may not be. Call it under the root's lock.
 */
export async function rollBackAutomatically(
  addon: HostAddon,
  audit: AuditLog,
  stop: AbortSignal,
): Promise<RolledBack | Counted> {
  const { paths, id } = addon;
  const { specs } = settledSpecs(paths);
  const before = readGate(paths);
  const gate = countFailure(withTrial(before, specs));
  const isJob = specs.active?.supervision === "systemd_timer";
  const failures = gate.trial?.failures ?? 0;
  if (isJob && gate.trial !== null && failures < MOST_FAILURES) {
    writeGate(paths, before, gate);
    return { failures, of: MOST_FAILURES };
  }
  const step = stepBack(specs, gate);
  if (step.kind === "stay") {
    const [code, why] = WHY[step.why];
    throw new Failure(
      code,
      `add-on ${quoted(id)} stays at ${quoted(specs.active?.version ?? "nothing")}: ${why}`,
      {
        hint: "assign another version, or go back by hand with: waybill addon rollback",
      },
    );
  }
  writeGate(paths, before, step.gate);
  return rollBack(addon, step.to.folder, audit, stop);
}
