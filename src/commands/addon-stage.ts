import { resolve } from "node:path";
import { shownPlatform } from "../addons/assigned/platform.ts";
import { parseAssignmentsSource } from "../addons/assigned/assignments-source.ts";
import { exitOf } from "../addons/staging/outcome.ts";
import { describeResults, stageDocument } from "../addons/staging/stage-document.ts";
import { stageHost } from "../addons/staging/stage-host.ts";
import { LIMITS } from "../base/limits.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { download } from "../stores/download.ts";
import { sourcesOf } from "../stores/sources.ts";
import {
  LIST_FLAGS,
  LOCK_FLAG,
  readBytes,
  readLayout,
  readPlanning,
  readToken,
  ROOT_FLAGS,
} from "./addon-flags.ts";
import { readStores, STORE_FLAGS } from "./store-flags.ts";

const FLAGS = {
  assignments: {
    type: "string",
    required: true,
    valueHint: "FILE|-|URL",
    description: "what is assigned to this host",
  },
  ...ROOT_FLAGS,
  ...LIST_FLAGS,
  ...STORE_FLAGS,
  "max-artifact-bytes": {
    type: "string",
    valueHint: "N",
    description: "the largest artifact that is fetched (1 GiB)",
  },
  strict: { type: "boolean", description: "fail when no assignment list was ever fetched and none can be" },
  "retry-now": { type: "boolean", description: "try again at once what failed several times before" },
  ...LOCK_FLAG,
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
  const planning = await readPlanning(flags, layout, world);
  const { platform } = planning;
  const allowInsecureHttp = flags["allow-insecure-http"];
  const { stores, choice, limits } = readStores(flags, allowInsecureHttp, shownPlatform(platform), world);
  const source = parseAssignmentsSource(flags.assignments, {
    token: readToken(flags["token-env"], world),
    allowInsecureHttp,
    reach: choice.reach,
    cwd: world.cwd,
  });
  const report = await stageHost({
    source,
    overrideFile: flags.override === undefined ? null : resolve(world.cwd, flags.override),
    strict: flags.strict,
    retryNow: flags["retry-now"],
    now: world.now,
    lockBudgetMs: parseDuration(flags["lock-timeout"], "--lock-timeout", { least: 0 }),
    run: {
      ...planning,
      maxArtifactBytes: readBytes(flags["max-artifact-bytes"], "--max-artifact-bytes", LIMITS.artifactBytes),
      download: (wanted, part, stop) =>
        download(sourcesOf(wanted, stores, choice), wanted, part, limits, stop),
    },
  });
  for (const warning of report.warnings) world.say.warn(warning.message);
  return {
    exit: exitOf(report.results),
    ...stageDocument(report, layout, platform),
    text: describeResults(report.results),
  };
}
