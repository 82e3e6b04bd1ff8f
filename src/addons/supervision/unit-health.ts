import type { Running } from "./status-report.ts";

/** What `systemctl show` says of a unit, by the names of its properties. */
export type Shown = Readonly<Record<string, string>>;

export const SERVICE_PROPERTIES = [
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "NRestarts",
  "ExecMainStatus",
  "ExecMainExitTimestampMonotonic",
  "MainPID",
] as const;

export const TIMER_PROPERTIES = [
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "NextElapseUSecRealtime",
  "NextElapseUSecMonotonic",
] as const;

/**
 * How an installed unit stands, in the words of what is supervised here. `well` is what a version on trial has to be.
 */
export type UnitHealth = Pick<Running, "state" | "pid" | "lastError"> & { readonly well: boolean };

export function serviceHealth(service: Shown): UnitHealth {
  const { ActiveState: active = "", SubState: sub = "" } = service;
  const pid = pidOf(service);
  if (service["LoadState"] === "masked") return ill("stopped", "its unit is masked on this host", null);
  if (active === "active") return { state: "running", pid, lastError: null, well: true };
  if (sub === "auto-restart") return ill("restarting", failureOf(service), null);
  if (active === "activating" || active === "reloading") return ill("starting", null, pid);
  if (active === "deactivating") return ill("restarting", null, pid);
  if (active === "failed") return ill("unhealthy", failureOf(service), null);
  return ill("stopped", null, null);
}

/** An active timer says nothing about its job, and one that has elapsed for the last time never starts it again. */
export function jobHealth(service: Shown, timer: Shown): UnitHealth {
  const masked = [service, timer].some((unit) => unit["LoadState"] === "masked");
  if (masked) return ill("stopped", "its unit is masked on this host", null);
  const isRunning = service["ActiveState"] === "activating" || service["ActiveState"] === "active";
  const hasFailed = service["ActiveState"] === "failed" || !["success", ""].includes(service["Result"] ?? "");
  if (hasFailed && !isRunning) return ill("unhealthy", `the last run of its job ${failureOf(service)}`, null);
  if (timer["ActiveState"] === "failed")
    return ill("unhealthy", `its timer failed: ${timer["Result"]}`, null);
  if (timer["ActiveState"] !== "active") return ill("stopped", null, null);
  if (!isRunning && !elapsesAgain(timer))
    return ill("unhealthy", "its timer has elapsed and has no next time", null);
  return { state: "running", pid: pidOf(service), lastError: null, well: !isRunning };
}

function elapsesAgain(timer: Shown): boolean {
  if (timer["SubState"] !== "elapsed") return true;
  return [timer["NextElapseUSecRealtime"], timer["NextElapseUSecMonotonic"]].some(
    (at) => at !== undefined && !["", "0", "n/a", "infinity"].includes(at),
  );
}

function failureOf(service: Shown): string {
  return `ended with ${service["Result"] ?? "nothing known"}, status ${service["ExecMainStatus"] ?? "unknown"}`;
}

function pidOf(service: Shown): number | null {
  const pid = Number(service["MainPID"]);
  return pid > 0 ? pid : null;
}

function ill(state: string, lastError: string | null, pid: number | null): UnitHealth {
  return { state, pid, lastError, well: false };
}
