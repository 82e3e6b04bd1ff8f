import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { safeName } from "../addons/names.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { writeAtomic } from "../host/files.ts";
import { makeScratchFolder } from "../host/scratch-folder.ts";
import { exposureOf, Systemd } from "../host/systemd.ts";
import { isTimeText } from "../addons/supervision/manifest.ts";
import { bringUnits, makeUnits, removeUnits, usualChoice } from "../addons/supervision/bring-units.ts";
import type { UnitChoice } from "../addons/supervision/unit-note.ts";
import type { UnitFile } from "../addons/supervision/unit-text.ts";
import { alone, LOCK_FLAG, oneAddon, readLayout, ROOT_FLAGS } from "./addon-flags.ts";

const FLAGS = {
  id: { type: "positional", required: true, description: "the add-on" },
  install: {
    type: "boolean",
    description: "write, enable and start them; all is as before when it does not hold",
  },
  uninstall: { type: "boolean", description: "stop and remove those that waybill wrote" },
  "on-calendar": {
    type: "string",
    repeat: true,
    valueHint: "WHEN",
    description: "when a timer runs it, as in systemd.time (as before, else what its bundle says)",
  },
  "unit-dir": {
    type: "string",
    valueHint: "DIR",
    description: "where units are installed (as before, else /etc/systemd/system)",
  },
  waybill: {
    type: "string",
    valueHint: "PATH",
    description: "where the host has waybill (as before, else this very program)",
  },
  ...ROOT_FLAGS,
  ...LOCK_FLAG,
} as const;

type UnitFlags = Values<typeof FLAGS>;

export const addonUnit: Command = defineCommand({
  name: "unit",
  description: "the systemd units of an add-on: print them, install them with a full undo, remove them",
  args: FLAGS,
  examples: [
    "waybill addon unit sensor",
    "waybill addon unit sensor --install",
    "waybill addon unit report --on-calendar hourly --install",
    "waybill addon unit sensor --uninstall",
  ],
  exits: ["policy", "untrusted", "missing", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { checked: 0, units: [] },
  act: async (flags, world) => {
    if (flags.install && flags.uninstall) {
      throw new Failure("flags_contradict", "--install and --uninstall contradict each other");
    }
    const wrong = flags["on-calendar"].find((text) => !isTimeText(text));
    if (wrong !== undefined)
      throw new Failure("invalid_value", `--on-calendar is ${quoted(wrong)}; wanted a time`);
    const layout = readLayout(flags, world);
    if (flags.uninstall) return uninstall(layout, flags, world);
    // Before anything is read or written: a host without systemd is told so and left alone.
    const systemd = flags.install ? await Systemd.find() : null;
    return alone(layout, flags["lock-timeout"], world, () => units(flags, layout, systemd, world));
  },
});

async function uninstall(layout: Layout, flags: UnitFlags, { cwd }: World): Promise<Outcome> {
  const id = safeName(flags.id, "the add-on");
  const named = flags["unit-dir"] === undefined ? null : resolve(cwd, flags["unit-dir"]);
  const { removed, kept } = await removeUnits(id, layout, named, await Systemd.find());
  const lines = [
    ...removed.map((name) => `${name}: removed\n`),
    ...kept.map((name) => `${name}: not ours, kept\n`),
  ];
  return {
    exit: EXIT.ok,
    document: { checked: removed.length + kept.length, addon_id: id, removed, kept },
    text: lines.length === 0 ? `${id} has no unit here\n` : lines.join(""),
  };
}

async function units(
  flags: UnitFlags,
  layout: Layout,
  systemd: Systemd | null,
  world: World,
): Promise<Outcome> {
  const addon = oneAddon(layout, flags.id);
  const choice = choiceOf(flags, usualChoice(addon.paths), world);
  const made = await makeUnits(addon, layout, choice, world.stop);
  const exposure = await serviceExposure(made.files);
  const { version } = made.spec;
  const document = { checked: 1, addon_id: addon.id, version, exposure, units: made.files };
  if (systemd === null) {
    if (exposure !== null) world.say.info(`exposure by systemd-analyze security: ${exposure}`);
    return { exit: EXIT.ok, document, text: made.files.map(describe).join("\n") };
  }
  const done = await bringUnits(addon, made, choice, true, systemd, SYSTEM_CLOCK, world.stop);
  for (const path of done.dropIns) world.say.info(`a drop-in of this host holds: ${path}`);
  return {
    exit: EXIT.ok,
    document: { ...document, changed: done.changed, started: done.started, drop_ins: done.dropIns },
    text: `${made.main}: ${wordFor(version, done)}${exposure === null ? "" : `, exposure ${exposure}`}\n`,
  };
}

/** The flags, else what was chosen before. */
function choiceOf(flags: UnitFlags, before: UnitChoice, { cwd }: World): UnitChoice {
  const { waybill, "unit-dir": directory, "on-calendar": onCalendar } = flags;
  return {
    waybill: waybill === undefined ? before.waybill : resolve(cwd, waybill),
    directory: directory === undefined ? before.directory : resolve(cwd, directory),
    onCalendar: onCalendar.length === 0 ? before.onCalendar : onCalendar,
  };
}

function wordFor(
  version: string,
  { changed, started }: { changed: readonly string[]; started: boolean },
): string {
  if (!started) return `runs ${version} already`;
  return changed.length === 0 ? `started with ${version}` : `installed and started with ${version}`;
}

function describe({ name, text }: UnitFile): string {
  return `# ${name}\n${text}`;
}

/** Of the service, in a folder where it has its name and nothing of this host is added. */
async function serviceExposure([service]: readonly UnitFile[]): Promise<string | null> {
  if (service === undefined) return null;
  const folder = makeScratchFolder();
  try {
    const path = join(folder, service.name);
    writeAtomic(path, service.text, 0o600);
    return await exposureOf(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
