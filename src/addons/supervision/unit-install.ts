import { asFailure, Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Clock } from "../../host/clock.ts";
import type { Systemd } from "../../host/systemd.ts";
import { applyChanges, dropInsOf, lookAtUnits, undoChanges } from "./unit-files.ts";
import { holds, planInstall, planUninstall, type UnitChange } from "./unit-plan.ts";
import { unitNames, type UnitFile } from "./unit-text.ts";

export type Installed = {
  readonly changed: readonly string[];
  readonly dropIns: readonly string[];
  /** Whether the unit was started anew. */
  readonly started: boolean;
};

/** How long a service has to hold after its start before the files stay. */
const SETTLE_MS = 1_500;
const POLL_MS = 100;
const PATIENCE_MS = 90_000;

export type Installing = {
  readonly id: string;
  readonly main: string;
  readonly files: readonly UnitFile[];
  readonly directory: string;
  /** Whether it is started anew also when no file changed. */
  readonly restart: boolean;
  /** Whether what an operator disabled and stopped is enabled and started again. */
  readonly evenDisabled: boolean;
};

/**
 * Installs, enables and starts the units of an add-on. When the service does not hold, every file, and what was
 * enabled and running, is as it was before. Throws Failure.
 */
export async function installUnits(
  units: Installing,
  systemd: Systemd,
  clock: Clock,
  stop: AbortSignal,
): Promise<Installed> {
  const { id, directory } = units;
  const known = Object.values(unitNames(id));
  const { service } = unitNames(id);
  const changes = planInstall(units.files, known, lookAtUnits(directory, known));
  const dropIns = dropInsOf(directory, known);
  const before = await systemd.show(units.main, ["ActiveState", "UnitFileState"]);
  const running = before["ActiveState"] === "active" || before["ActiveState"] === "activating";
  if (changes.length === 0 && running && !units.restart) return { changed: [], dropIns, started: false };
  const isOff = before["UnitFileState"] === "disabled" && before["ActiveState"] === "inactive";
  try {
    await retire(changes, systemd);
    applyChanges(directory, changes);
    await systemd.do(["daemon-reload"]);
    if (isOff && !units.evenDisabled)
      return { changed: changes.map(({ name }) => name), dropIns, started: false };
    // What failed too often before may not be started otherwise.
    await systemd.ask(["reset-failed", units.main, service]);
    await systemd.do(["enable", units.main]);
    await systemd.do(["restart", units.main]);
    if (units.main === service) await settle(service, systemd, clock, stop);
  } catch (error) {
    const failure = asFailure(error);
    undoChanges(directory, changes);
    await goBack(units.main, service, before, systemd);
    throw new Failure(failure.code, `${failure.message}; the units are as they were before`, {
      hint: `see: journalctl -u ${service}`,
      cause: error,
    });
  }
  return { changed: changes.map(({ name }) => name), dropIns, started: true };
}

/** Units of ours that are not wanted any more: stopped while systemd still knows them. */
async function retire(changes: readonly UnitChange[], systemd: Systemd): Promise<void> {
  for (const { name, text } of changes) {
    if (text === null) await systemd.ask(["disable", "--now", name]);
  }
}

async function goBack(
  main: string,
  service: string,
  before: Readonly<Record<string, string>>,
  systemd: Systemd,
): Promise<void> {
  const enabled = before["UnitFileState"] === "enabled";
  if (!enabled) await systemd.ask(["disable", main]);
  await systemd.ask(["stop", main, service]);
  await systemd.ask(["daemon-reload"]);
  await systemd.ask(["reset-failed", main, service]);
  if (enabled) await systemd.ask(["enable", main]);
  if (before["ActiveState"] === "active") await systemd.ask(["start", main]);
}

/** Throws Failure `unit_failed` when the service ends or starts again soon after its start. */
async function settle(service: string, systemd: Systemd, clock: Clock, stop: AbortSignal): Promise<void> {
  const begun = clock.now();
  let since: number | null = null;
  const names = ["ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus"];
  while (clock.now() - begun < PATIENCE_MS && !stop.aborted) {
    const shown = await systemd.show(service, names);
    const standing = {
      active: shown["ActiveState"] ?? "",
      sub: shown["SubState"] ?? "",
      result: shown["Result"] ?? "",
      restarts: Number(shown["NRestarts"] ?? 0),
    };
    const verdict = holds(standing);
    if (verdict === false) {
      const { active, sub, result } = standing;
      const status = shown["ExecMainStatus"] ?? "";
      throw new Failure(
        "unit_failed",
        `unit ${quoted(service)} does not hold: ${active}/${sub}, ${result}, status ${status}`,
      );
    }
    since = verdict === null ? null : (since ?? clock.now());
    if (since !== null && clock.now() - since >= SETTLE_MS) return;
    await clock.sleep(POLL_MS, stop);
  }
  throw new Failure("unit_failed", `unit ${quoted(service)} was not up within ${PATIENCE_MS} ms`);
}

export type Uninstalled = { readonly removed: readonly string[]; readonly kept: readonly string[] };

/** Stops and removes what is ours; a second time there is nothing to do. */
export async function uninstallUnits(id: string, directory: string, systemd: Systemd): Promise<Uninstalled> {
  const known = Object.values(unitNames(id));
  const { changes, kept } = planUninstall(known, lookAtUnits(directory, known));
  if (changes.length === 0) return { removed: [], kept };
  await retire(changes, systemd);
  applyChanges(directory, changes);
  await systemd.do(["daemon-reload"]);
  const names = changes.map(({ name }) => name);
  // It keeps a failed unit in memory, also without a file.
  await systemd.ask(["reset-failed", ...names]);
  return { removed: names, kept };
}
