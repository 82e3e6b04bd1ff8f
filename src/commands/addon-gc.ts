import { AuditLog } from "../addons/audit/audit-log.ts";
import { collect, collectParts, planCollection, type Collected } from "../addons/operations/collect.ts";
import { readInventory } from "../addons/on-host/inventory.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { requireRoot } from "../addons/on-host/open-root.ts";
import type { Warning } from "../addons/warning.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { alone, LOCK_FLAG, readLayout, ROOT_FLAGS } from "./addon-flags.ts";

export const addonGc: Command = defineCommand({
  name: "gc",
  description: "remove versions that nothing runs and no rollback would need",
  args: {
    id: { type: "string", repeat: true, valueHint: "ID", description: "only this add-on (all of them)" },
    keep: {
      type: "string",
      default: "1",
      valueHint: "N",
      description: "versions to keep besides those that are needed",
    },
    "dry-run": { type: "boolean", description: "say what would go, and remove nothing" },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon gc", "waybill addon gc --id sensor --keep 0", "waybill addon gc --dry-run"],
  exits: ["policy", "missing", "conflict", "server", "changes", "interrupted", "terminated"],
  emptyDocument: { checked: 0, addons: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const keep = /^\d{1,6}$/u.test(flags.keep) ? Number(flags.keep) : null;
    if (keep === null) {
      throw new Failure("invalid_value", `--keep is ${quoted(flags.keep)}; wanted a number of versions`);
    }
    const { collected, warnings } = flags["dry-run"]
      ? lookOnly(layout, flags.id, keep)
      : await alone(layout, flags["lock-timeout"], world, async () =>
          collectAll(layout, flags.id, keep, world),
        );
    for (const warning of warnings) world.say.warn(warning.message);
    const removed = collected.reduce((count, one) => count + one.removed.length, 0);
    return {
      exit: flags["dry-run"] && removed > 0 ? EXIT.changes : EXIT.ok,
      document: {
        checked: collected.length,
        dry_run: flags["dry-run"],
        removed,
        addons: collected.map((one) => ({ addon_id: one.addonId, removed: one.removed, kept: one.kept })),
        warnings,
      },
      text: collected.map((one) => describe(one, flags["dry-run"])).join(""),
    };
  },
});

function lookOnly(
  layout: Layout,
  ids: readonly string[],
  keep: number,
): { collected: Collected[]; warnings: Warning[] } {
  requireRoot(layout);
  return { collected: planCollection(readInventory(layout, ids), keep), warnings: [] };
}

function collectAll(
  layout: Layout,
  ids: readonly string[],
  keep: number,
  world: World,
): { collected: Collected[]; warnings: Warning[] } {
  const audit = new AuditLog(layout.audit, world.now);
  const addons = readInventory(layout, ids);
  const planned = planCollection(addons, keep);
  const warnings: Warning[] = [];
  const collected = planned.map((choice) => {
    const addon = addons.find(({ id }) => id === choice.addonId);
    const done = addon === undefined ? { removed: [], warnings: [] } : collect(addon, choice, audit);
    warnings.push(...done.warnings);
    return { ...choice, removed: done.removed };
  });
  collectParts(layout, world.now().getTime());
  return { collected, warnings };
}

function describe({ addonId, removed, kept }: Collected, dryRun: boolean): string {
  const gone = removed.length === 0 ? "nothing" : removed.join(", ");
  const stays = kept.map(({ folder, why }) => `${folder} (${why})`).join(", ");
  return `${addonId}: ${dryRun ? "would remove" : "removed"} ${gone}; kept ${stays || "nothing"}\n`;
}
