import { AuditLog } from "../addons/audit/audit-log.ts";
import { rollBack } from "../addons/operations/roll-back.ts";
import { Failure } from "../base/failure.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { alone, LOCK_FLAG, oneAddon, readLayout, ROOT_FLAGS } from "./addon-flags.ts";
import { rolledBack } from "./rolled-back.ts";

export const addonRollback: Command = defineCommand({
  name: "rollback",
  description: "put an earlier version back, with its arguments and configuration; without any network",
  args: {
    id: { type: "positional", required: true, description: "the add-on" },
    to: {
      type: "string",
      valueHint: "V",
      description: "the version (the last known good, or the one before)",
    },
    automatic: {
      type: "string",
      valueHint: "UNIT",
      description: "that unit failed: one step back if the version is on trial, then start the unit again",
    },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon rollback sensor", "waybill addon rollback sensor --to 1.2.0"],
  exits: ["policy", "untrusted", "missing", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { checked: 0 },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const audit = new AuditLog(layout.audit, world.now);
    if (flags.automatic !== undefined) {
      if (flags.to !== undefined)
        throw new Failure("flags_contradict", "--automatic goes to the last known good; --to names another");
      const failed = flags.automatic;
      const { automaticRollback } = await import("./automatic-rollback.ts");
      return automaticRollback(layout, flags.id, failed, flags["lock-timeout"], world);
    }
    const { from, to, path, warnings } = await alone(layout, flags["lock-timeout"], world, () =>
      rollBack(oneAddon(layout, flags.id), flags.to, audit, world.stop),
    );
    for (const warning of warnings) world.say.warn(warning.message);
    return rolledBack({ from, to, path, warnings });
  },
});
