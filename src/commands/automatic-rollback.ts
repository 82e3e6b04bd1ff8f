import { AuditLog } from "../addons/audit/audit-log.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { EXIT } from "../base/exit-codes.ts";
import type { Outcome, World } from "../cli/command.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { Systemd } from "../host/systemd.ts";
import { rollBackAutomatically } from "../addons/supervision/automatic-rollback.ts";
import { bringUnits, makeUnits, usualChoice } from "../addons/supervision/bring-units.ts";
import { alone, oneAddon } from "./addon-flags.ts";
import { rolledBack } from "./rolled-back.ts";

/** `addon rollback ID --automatic UNIT`: what `OnFailure=` of a unit calls. */
export async function automaticRollback(
  layout: Layout,
  id: string,
  unit: string,
  lockTimeout: string,
  world: World,
): Promise<Outcome> {
  const systemd = await Systemd.find();
  const audit = new AuditLog(layout.audit, world.now);
  const done = await alone(layout, lockTimeout, world, async () => {
    const tried = await rollBackAutomatically(oneAddon(layout, id), audit, world.stop);
    if ("failures" in tried) return tried;
    // What it goes back to may have had other arguments, limits and capabilities.
    const addon = oneAddon(layout, id);
    const choice = usualChoice(addon.paths);
    const units = await makeUnits(addon, layout, choice, world.stop);
    await bringUnits(addon, units, choice, true, systemd, SYSTEM_CLOCK, world.stop);
    return tried;
  });
  if ("failures" in done) {
    const { failures, of } = done;
    return {
      exit: EXIT.ok,
      document: { checked: 1, addon_id: id, failures, of, from: null, to: null },
      text: `${id}: failed ${failures} of ${of} times; it stays\n`,
    };
  }
  for (const warning of done.warnings) world.say.warn(warning.message);
  // A job that failed is made up for now, and not when its timer elapses next.
  if (done.to.supervision === "systemd_timer") await systemd.do(["restart", unit]);
  return rolledBack(done);
}
