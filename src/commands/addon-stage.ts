import { exitOf } from "../addons/staging/outcome.ts";
import { describeResults, stageDocument } from "../addons/staging/stage-document.ts";
import { stageHost } from "../addons/staging/stage-host.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { readLayout } from "./addon-flags.ts";
import { readStagingRequest, STAGING_FLAGS } from "./staging-request.ts";

const FLAGS = {
  assignments: {
    type: "string",
    required: true,
    valueHint: "FILE|-|URL",
    description: "what is assigned to this host",
  },
  ...STAGING_FLAGS,
  strict: { type: "boolean", description: "fail when no assignment list was ever fetched and none can be" },
  "retry-now": { type: "boolean", description: "try again at once what failed several times before" },
} as const;

export const addonStage: Command = defineCommand({
  name: "addon-stage",
  description: "bring this host to its assigned add-ons: fetch, verify, stage, switch",
  args: FLAGS,
  examples: [
    "waybill addon-stage --assignments https://cp.example.com/v1/addons/assignments --token-env CP_TOKEN --store https://cp.example.com/v1/artifacts --store-token-env CP_TOKEN --key release.pub --root /var/lib/waybill",
    "waybill addon-stage --assignments list.json --store file:/mnt/artifacts --key release.pub --root /var/lib/waybill",
  ],
  exits: [
    ...(["partial", "auth", "policy", "untrusted", "missing", "protocol"] as const),
    ...(["rejected", "conflict", "transport", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, addons: [], warnings: [] },
  act: addonStageAct,
});

async function addonStageAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const layout = readLayout(flags, world);
  const wishes = { strict: flags.strict, retryNow: flags["retry-now"] };
  const request = await readStagingRequest(flags, layout, wishes, world);
  const report = await stageHost(request);
  for (const warning of report.warnings) world.say.warn(warning.message);
  return {
    exit: exitOf(report.results),
    ...stageDocument(report, layout, request.run.platform),
    text: describeResults(report.results),
  };
}
