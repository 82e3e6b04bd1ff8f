import { realpathSync } from "node:fs";
import type { HostAddon } from "../on-host/inventory.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Clock } from "../../host/clock.ts";
import type { Systemd } from "../../host/systemd.ts";
import { lookAtUnits } from "./unit-files.ts";
import { installUnits, uninstallUnits, type Installed, type Uninstalled } from "./unit-install.ts";
import { readUnitNote, removeUnitNote, startedFor, writeUnitNote, type UnitChoice } from "./unit-note.ts";
import { isOurs } from "./unit-plan.ts";
import { unitRequest } from "./unit-request.ts";
import { unitNames, unitsOf, type UnitFile } from "./unit-text.ts";
import { verifiedProgram } from "./verified-program.ts";

export const UNIT_DIRECTORY = "/etc/systemd/system";

/** The units of what is active, made from bytes that were read again. */
export type MadeUnits = {
  readonly spec: Spec;
  readonly root: string;
  readonly main: string;
  readonly files: readonly UnitFile[];
};

/** How the units of an add-on were installed before, else as this very program would. */
export function usualChoice(addon: HostAddon): UnitChoice {
  const { waybill, directory, onCalendar } = readUnitNote(addon.paths) ?? {
    waybill: realpathSync(process.execPath),
    directory: UNIT_DIRECTORY,
    onCalendar: [],
  };
  return { waybill, directory, onCalendar };
}

/** Throws Failure: `nothing_checked`, `hash_mismatch`, `manifest_invalid`, `unit_unsafe`, `supervision_unsupported`. */
export async function makeUnits(
  addon: HostAddon,
  layout: Layout,
  choice: UnitChoice,
  stop: AbortSignal,
): Promise<MadeUnits> {
  const spec = addon.specs.active;
  if (spec === null)
    throw new Failure("nothing_checked", `nothing is in place of add-on ${quoted(addon.id)}`);
  // What the units are made from is of the bundle: it is believed as far as its bytes are.
  await verifiedProgram(addon.paths, spec, stop);
  return {
    spec,
    root: layout.root,
    ...unitsOf(unitRequest(spec, layout, choice.waybill, choice.onCalendar)),
  };
}

/**
 * Installs and starts them, unless they run for just this already. What an operator disabled stays so unless
 * `evenDisabled`. Call it under the root's lock. Throws Failure.
 */
export async function bringUnits(
  addon: HostAddon,
  units: MadeUnits,
  choice: UnitChoice,
  evenDisabled: boolean,
  systemd: Systemd,
  clock: Clock,
  stop: AbortSignal,
): Promise<Installed> {
  const started = startedFor(units.spec, units.files);
  const restart = readUnitNote(addon.paths)?.started !== started;
  const { main, files } = units;
  const { directory } = choice;
  const wanted = { id: addon.id, main, files, directory, root: units.root, restart, evenDisabled };
  const done = await installUnits(wanted, systemd, clock, stop);
  writeUnitNote(addon.paths, choice, started);
  return done;
}

/** Whether waybill installed units for it here. */
export function hasUnits(addon: HostAddon, root: string): boolean {
  const { directory } = usualChoice(addon);
  const names = Object.values(unitNames(addon.id));
  return Object.values(lookAtUnits(directory, names)).some((found) => isOurs(found, root));
}

/** Stops and removes what is ours; a second time there is nothing to do. */
export async function removeUnits(addon: HostAddon, root: string, systemd: Systemd): Promise<Uninstalled> {
  const done = await uninstallUnits(addon.id, usualChoice(addon).directory, root, systemd);
  removeUnitNote(addon.paths);
  return done;
}
