import { AuditLog } from "../addons/audit/audit-log.ts";
import { pin, unpin } from "../addons/operations/roll-back.ts";
import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { alone, LOCK_FLAG, oneAddon, readLayout, ROOT_FLAGS } from "./addon-flags.ts";

export const addonPin: Command = defineCommand({
  name: "pin",
  description: "keep the version that runs now, whatever is assigned",
  args: {
    id: { type: "positional", required: true, description: "the add-on" },
    reason: {
      type: "string",
      default: "",
      valueHint: "TEXT",
      description: "why, for whoever finds it pinned",
    },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ['waybill addon pin sensor --reason "1.3.0 loses samples"'],
  exits: ["policy", "untrusted", "missing", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { checked: 0 },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const audit = new AuditLog(layout.audit, world.now);
    const { spec, warnings } = await alone(layout, flags["lock-timeout"], world, async () =>
      pin(oneAddon(layout, flags.id), printable(flags.reason), audit),
    );
    for (const warning of warnings) world.say.warn(warning.message);
    const { addon_id, version, artifact_sha256 } = spec;
    return {
      exit: EXIT.ok,
      document: {
        checked: 1,
        addon_id,
        version,
        digest: `sha256:${artifact_sha256}`,
        pinned: true,
        warnings,
      },
      text: `${addon_id}: pinned to ${printable(version, 140)}\n`,
    };
  },
});

export const addonUnpin: Command = defineCommand({
  name: "unpin",
  description: "take what is assigned again, also what was rolled back from",
  args: {
    id: { type: "positional", required: true, description: "the add-on" },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon unpin sensor"],
  exits: ["policy", "untrusted", "missing", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { checked: 0 },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const audit = new AuditLog(layout.audit, world.now);
    const { changed, warnings } = await alone(layout, flags["lock-timeout"], world, async () =>
      unpin(oneAddon(layout, flags.id), audit),
    );
    for (const warning of warnings) world.say.warn(warning.message);
    return {
      exit: EXIT.ok,
      document: { checked: 1, addon_id: flags.id, pinned: false, changed, warnings },
      text: `${printable(flags.id, 140)}: ${changed ? "takes what is assigned" : "was not pinned"}\n`,
    };
  },
});
