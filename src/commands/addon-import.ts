import { resolve } from "node:path";
import { ExportFile } from "../addons/operations/export-file.ts";
import { exitOf } from "../addons/staging/outcome.ts";
import { describeResults, stageDocument } from "../addons/staging/stage-document.ts";
import { stageHost } from "../addons/staging/stage-host.ts";
import { LIMITS } from "../base/limits.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import { download, type Source } from "../stores/download.ts";
import { LIST_FLAGS, LOCK_FLAG, readBytes, readLayout, readPlanning, ROOT_FLAGS } from "./addon-flags.ts";

const { key, trust, override, replace } = LIST_FLAGS;

/** A file on this machine: nothing to be patient about. */
const LIMITS_OF_A_FILE = { deadlineMs: 3_600_000, idleMs: 60_000, leastRate: 1, retryBudgetMs: 0 };

export const addonImport: Command = defineCommand({
  name: "import",
  description: "stage what an export holds, verified exactly as if it came from a store",
  args: {
    file: { type: "positional", required: true, description: "made by: waybill addon export" },
    key,
    trust,
    "trust-state": LIST_FLAGS["trust-state"],
    override,
    replace,
    "allow-unsigned": LIST_FLAGS["allow-unsigned"],
    platform: LIST_FLAGS.platform,
    "max-artifact-bytes": {
      type: "string",
      valueHint: "N",
      description: "the largest artifact that is taken (1 GiB)",
    },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon import addons.tar --key release.pub"],
  exits: [
    ...(["partial", "policy", "untrusted", "missing", "protocol"] as const),
    ...(["conflict", "transport", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, addons: [], warnings: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const planning = await readPlanning(flags, layout, world);
    const lockBudgetMs = parseDuration(flags["lock-timeout"], "--lock-timeout", { least: 0 });
    const maxArtifactBytes = readBytes(
      flags["max-artifact-bytes"],
      "--max-artifact-bytes",
      LIMITS.artifactBytes,
    );
    const file = new ExportFile(resolve(world.cwd, flags.file));
    try {
      const report = await stageHost({
        source: { kind: "document", bytes: file.index(), what: `the list of ${file.name}` },
        overrideFile: flags.override === undefined ? null : resolve(world.cwd, flags.override),
        strict: false,
        lockBudgetMs,
        retryNow: true,
        now: world.now,
        run: {
          ...planning,
          maxArtifactBytes,
          download: (wanted, part, stop) =>
            download([sourceOf(file, wanted.key)], wanted, part, LIMITS_OF_A_FILE, stop),
        },
      });
      for (const warning of report.warnings) world.say.warn(warning.message);
      return {
        exit: exitOf(report.results),
        ...stageDocument(report, layout, planning.platform),
        text: describeResults(report.results),
      };
    } finally {
      file.close();
    }
  },
});

function sourceOf(file: ExportFile, key: string): Source {
  return { name: file.name, key, open: (read) => file.open({ ...read, key }) };
}
