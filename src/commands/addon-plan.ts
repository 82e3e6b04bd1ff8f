import { failuresOf } from "../addons/failures.ts";
import { exitOfPlan, planAll } from "../addons/operations/plan-all.ts";
import { planDocument, describePlan } from "../addons/operations/plan-document.ts";
import { shownPlatform } from "../addons/assigned/platform.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { LIST_FLAGS, OFFER_FLAG, readLayout, readListing, readPlanning, ROOT_FLAGS } from "./addon-flags.ts";

export const addonPlan: Command = defineCommand({
  name: "plan",
  description: "what addon-stage would change, decided by the same rules; nothing is fetched or written",
  args: {
    ...OFFER_FLAG,
    ...LIST_FLAGS,
    ...ROOT_FLAGS,
  },
  examples: ["waybill addon plan --assignments list.json --key release.pub --root /var/lib/waybill"],
  exits: [
    ...(["partial", "auth", "policy", "untrusted", "missing", "protocol", "rejected"] as const),
    ...(["transport", "server", "changes", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, addons: [], warnings: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const planning = await readPlanning(flags, layout, world);
    const list = await readListing(flags.assignments, flags, planning, world);
    const planned = await planAll(list, planning);
    for (const warning of list.warnings) world.say.warn(warning.message);
    return {
      exit: exitOfPlan(planned),
      document: {
        checked: planned.length,
        changes: planned.filter(({ changes }) => changes).length,
        addons: planned.map(planDocument),
        warnings: list.warnings,
        root: layout.root,
        layout: layout.name,
        platform: shownPlatform(planning.platform),
      },
      text: describePlan(planned),
      failures: failuresOf(planned),
    };
  },
});
