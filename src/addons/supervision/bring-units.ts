import { realpathSync } from "node:fs";
import type { HostAddon } from "../on-host/inventory.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import type { SafeName } from "../names.ts";
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

const UNIT_DIRECTORY = "/etc/systemd/system";

/** The units of what is active, made from bytes that were read again. */
export type MadeUnits = {
  readonly spec: Spec;
  readonly root: string;
  readonly main: string;
  readonly files: readonly UnitFile[];
};

/** How the units of an add-on were installed before, else as this very program would. */
export function usualChoice(paths: AddonPaths): UnitChoice {
  const { waybill, directory, onCalendar } = readUnitNote(paths) ?? {
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
  const program = await verifiedProgram(addon.paths, spec, stop);
  const units = unitsOf(unitRequest(spec, layout, choice.waybill, choice.onCalendar));
  program.requireUnchanged();
  return { spec, root: layout.root, ...units };
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
export function hasUnits(id: SafeName, layout: Layout): boolean {
  const { directory } = usualChoice(layout.addon(id));
  const names = Object.values(unitNames(id));
  return Object.values(lookAtUnits(directory, names)).some((found) => isOurs(found, layout.root));
}

/**
 * Stops and removes what is ours, where it was installed or in `named`; a second time there is nothing to do. Nothing
 * of the add-on is read: its units may be all that is left of it.
 */
export async function removeUnits(
  id: SafeName,
  layout: Layout,
  named: string | null,
  systemd: Systemd,
): Promise<Uninstalled> {
  const paths = layout.addon(id);
  const done = await uninstallUnits(id, named ?? usualChoice(paths).directory, layout.root, systemd);
  removeUnitNote(paths);
  return done;
}
