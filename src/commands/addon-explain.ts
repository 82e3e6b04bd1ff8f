import { describeExplanation, explain } from "../addons/operations/explanation.ts";
import { planDocument } from "../addons/operations/plan-document.ts";
import { planOne } from "../addons/operations/plan.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { LIST_FLAGS, OFFER_FLAG, readLayout, readListing, readPlanning, ROOT_FLAGS } from "./addon-flags.ts";

export const addonExplain: Command = defineCommand({
  name: "explain",
  description:
    "why an add-on gets what it gets: each field and who said it, what the host has, what is decided",
  args: {
    id: { type: "positional", required: true, description: "the add-on" },
    ...OFFER_FLAG,
    ...LIST_FLAGS,
    ...ROOT_FLAGS,
  },
  examples: ["waybill addon explain sensor --assignments list.json --key release.pub"],
  exits: [
    ...(["auth", "policy", "untrusted", "missing", "protocol", "rejected"] as const),
    ...(["transport", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0 },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const planning = await readPlanning(flags, layout, world);
    const list = await readListing(flags.assignments, flags, planning, world);
    const refused = list.refused.find(({ addon_id: id }) => id === flags.id);
    if (refused !== undefined) {
      const { code, message } = refused.failure;
      const document = {
        checked: 1,
        addon_id: printable(flags.id),
        decision: "refuse",
        reasons: [`${code}: ${message}`],
      };
      return { exit: EXIT.ok, document, text: `${printable(flags.id, 140)}: ${code}: ${message}\n` };
    }
    const assignment = list.assignments.find(({ addon_id: id }) => id === flags.id);
    if (assignment === undefined) {
      throw new Failure("not_found", `add-on ${quoted(flags.id)} is not assigned to this host`, {
        hint:
          list.assignments.length === 0
            ? "nothing is assigned to it; see: waybill addon status"
            : `assigned are: ${list.assignments
                .map(({ addon_id: id }) => printable(id, 60))
                .slice(0, 20)
                .join(", ")}`,
      });
    }
    const planned = await planOne(assignment, planning);
    const explanation = explain(assignment, list, planned);
    return {
      exit: EXIT.ok,
      document: { checked: 1, addon_id: printable(flags.id), ...explanation, plan: planDocument(planned) },
      text: describeExplanation(printable(flags.id, 140), explanation),
    };
  },
});
