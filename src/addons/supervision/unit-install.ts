import { storageFailure } from "../on-host/storage-failure.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Clock } from "../../host/clock.ts";
import type { Systemd } from "../../host/systemd.ts";
import { applyChanges, dropInsOf, lookAtUnits, undoChanges } from "./unit-files.ts";
import { holds, planInstall, planUninstall } from "./unit-plan.ts";
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
  /** The root of the add-on. */
  readonly root: string;
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
  const { id, directory, main } = units;
  const known = Object.values(unitNames(id));
  const { service, timer } = unitNames(id);
  const changes = planInstall(units.files, known, lookAtUnits(directory, known), units.root);
  const dropIns = dropInsOf(directory, known);
  const before = [await lookAt(service, systemd), await lookAt(timer, systemd)];
  const own = before.find(({ name }) => name === main);
  const running = own?.active === "active" || own?.active === "activating";
  if (changes.length === 0 && running && !units.restart) return { changed: [], dropIns, started: false };
  const isOff = own?.enabled === "disabled" && own.active === "inactive";
  const changed = changes.map(({ name }) => name);
  try {
    // A service that is a job now, or a job that is a service: what started it is not to start it any more.
    for (const { name, enabled } of before)
      if (name !== main && enabled === "enabled") await systemd.ask(["disable", "--now", name]);
    applyChanges(directory, changes);
    await systemd.do(["daemon-reload"]);
    if (isOff && !units.evenDisabled) return { changed, dropIns, started: false };
    // What failed too often before may not be started otherwise.
    await systemd.ask(["reset-failed", main, service]);
    await systemd.do(["enable", main]);
    await systemd.do(["restart", main]);
    if (main === service) await settle(service, systemd, clock, stop);
  } catch (error) {
    const failure = storageFailure(error, directory);
    undoChanges(directory, changes);
    await goBack(main, before, systemd);
    throw new Failure(failure.code, `${failure.message}; the units are as they were before`, {
      hint: `see: journalctl -u ${service}`,
      cause: error,
    });
  }
  return { changed, dropIns, started: true };
}

/** How a unit stood, in the words of systemd. */
type Stood = { readonly name: string; readonly enabled: string; readonly active: string };

async function lookAt(name: string, systemd: Systemd): Promise<Stood> {
  const { ActiveState: active = "", UnitFileState: enabled = "" } = await systemd.show(name, [
    "ActiveState",
    "UnitFileState",
  ]);
  return { name, enabled, active };
}

async function goBack(main: string, before: readonly Stood[], systemd: Systemd): Promise<void> {
  const names = before.map(({ name }) => name);
  for (const { name, enabled } of before) if (enabled !== "enabled") await systemd.ask(["disable", name]);
  await systemd.ask(["stop", ...names]);
  await systemd.ask(["daemon-reload"]);
  await systemd.ask(["reset-failed", ...names]);
  for (const { name, enabled, active } of before) {
    if (enabled === "enabled") await systemd.ask(["enable", name]);
    // A job that ran just then is its timer's to start.
    if (active === "active" && (enabled === "enabled" || name === main)) await systemd.ask(["start", name]);
  }
}

/** Throws Failure `unit_failed` when the service ends or starts again soon after its start. */
async function settle(service: string, systemd: Systemd, clock: Clock, stop: AbortSignal): Promise<void> {
  const begun = clock.now();
  let since: number | null = null;
  const names = ["ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus"];
  while (clock.now() - begun < PATIENCE_MS) {
    // Half a look says nothing against it; it is systemd's to start and to give up.
    if (stop.aborted) return;
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
export async function uninstallUnits(
  id: string,
  directory: string,
  root: string,
  systemd: Systemd,
): Promise<Uninstalled> {
  const known = Object.values(unitNames(id));
  const { changes, kept } = planUninstall(known, lookAtUnits(directory, known), root);
  if (changes.length === 0) return { removed: [], kept };
  const names = changes.map(({ name }) => name);
  // While systemd still knows them.
  for (const name of names) await systemd.ask(["disable", "--now", name]);
  applyChanges(directory, changes);
  await systemd.do(["daemon-reload"]);
  // It keeps a failed unit in memory, also without a file.
  await systemd.ask(["reset-failed", ...names]);
  return { removed: names, kept };
}
