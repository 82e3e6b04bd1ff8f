import { AuditLog } from "../addons/audit/audit-log.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { EXIT } from "../base/exit-codes.ts";
import type { Outcome, World } from "../cli/command.ts";
import { Systemd } from "../host/systemd.ts";
import { rollBackAutomatically } from "../addons/supervision/automatic-rollback.ts";
import { noteStarted } from "../addons/supervision/unit-note.ts";
import { alone, oneAddon } from "./addon-flags.ts";
import { rolledBack } from "./addon-rollback.ts";

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
  const done = await alone(layout, lockTimeout, world, () =>
    rollBackAutomatically(oneAddon(layout, id), audit, world.stop),
  );
  if ("failures" in done) {
    const { failures, of } = done;
    return {
      exit: EXIT.ok,
      document: { checked: 1, addon_id: id, failures, of, from: null, to: null },
      text: `${id}: failed ${failures} of ${of} times; it stays\n`,
    };
  }
  for (const warning of done.warnings) world.say.warn(warning.message);
  // It has used up its starts, and would not be started otherwise.
  await systemd.do(["reset-failed", unit]);
  await systemd.do(["restart", unit]);
  noteStarted(layout.addon(oneAddon(layout, id).id), done.to);
  return rolledBack(done);
}
