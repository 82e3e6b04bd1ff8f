import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Layout } from "../addons/on-host/layout.ts";
import type { Spec } from "../addons/on-host/spec.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { writeAtomic } from "../host/files.ts";
import { exposureOf, Systemd } from "../host/systemd.ts";
import { isTimeText } from "../addons/supervision/manifest.ts";
import { installUnits, uninstallUnits } from "../addons/supervision/unit-install.ts";
import { noteStarted, startedFor } from "../addons/supervision/unit-note.ts";
import { unitRequest } from "../addons/supervision/unit-request.ts";
import { unitsOf, type UnitFile } from "../addons/supervision/unit-text.ts";
import { verifiedProgram } from "../addons/supervision/verified-program.ts";
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
    description: "when a timer runs it, as in systemd.time (what its bundle says)",
  },
  "unit-dir": {
    type: "string",
    valueHint: "DIR",
    default: "/etc/systemd/system",
    description: "where units are installed",
  },
  waybill: {
    type: "string",
    valueHint: "PATH",
    description: "where the host has waybill (this very program)",
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
    const directory = resolve(world.cwd, flags["unit-dir"]);
    if (flags.uninstall) return uninstall(flags.id, directory);
    // Before anything is read or written: a host without systemd is told so and left alone.
    const systemd = flags.install ? await Systemd.find() : null;
    return alone(layout, flags["lock-timeout"], world, () => units(flags, layout, directory, systemd, world));
  },
});

async function uninstall(id: string, directory: string): Promise<Outcome> {
  const { removed, kept } = await uninstallUnits(id, directory, await Systemd.find());
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
  directory: string,
  systemd: Systemd | null,
  world: World,
): Promise<Outcome> {
  const addon = oneAddon(layout, flags.id);
  const spec = addon.specs.active;
  if (spec === null)
    throw new Failure("nothing_checked", `nothing is in place of add-on ${quoted(addon.id)}`);
  // What the units are made from is of the bundle: it is believed as far as its bytes are.
  await verifiedProgram(addon.paths, spec, world.stop);
  const waybill = resolve(world.cwd, flags.waybill ?? realpathSync(process.execPath));
  const made = unitsOf(unitRequest(spec, layout, waybill, flags["on-calendar"]));
  const exposure = await serviceExposure(made.files);
  const document = { checked: 1, addon_id: addon.id, version: spec.version, exposure, units: made.files };
  if (systemd === null) {
    if (exposure !== null) world.say.info(`exposure by systemd-analyze security: ${exposure}`);
    return { exit: EXIT.ok, document, text: made.files.map(describe).join("\n") };
  }
  const restart = !startedFor(addon.paths, spec);
  const done = await installUnits(addon.id, made, directory, restart, systemd, SYSTEM_CLOCK, world.stop);
  noteStarted(addon.paths, spec);
  for (const path of done.dropIns) world.say.info(`a drop-in of this host holds: ${path}`);
  return {
    exit: EXIT.ok,
    document: { ...document, changed: done.changed, started: done.started, drop_ins: done.dropIns },
    text: `${made.main}: ${wordFor(spec, done)}${exposure === null ? "" : `, exposure ${exposure}`}\n`,
  };
}

function wordFor(
  { version }: Spec,
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
  const folder = mkdtempSync(join(tmpdir(), "waybill-unit-"));
  try {
    const path = join(folder, service.name);
    writeAtomic(path, service.text, 0o600);
    return await exposureOf(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
