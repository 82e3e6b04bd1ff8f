import { EXIT } from "../base/exit-codes.ts";
import { BUILD } from "../base/version.ts";
import { defineCommand, type Command } from "../cli/command.ts";

export const version: Command = defineCommand({
  name: "version",
  description: "which build this is",
  args: {},
  examples: ["waybill version", "waybill version --json"],
  exits: [],
  act: async () => ({
    exit: EXIT.ok,
    document: {
      version: BUILD.version,
      commit: BUILD.commit,
      built_at: BUILD.builtAt,
      runtime: `bun ${Bun.version}`,
      platform: `${process.platform}/${process.arch}`,
    },
    text: `waybill ${BUILD.version} (${BUILD.commit?.slice(0, 12) ?? "no commit"}, ${BUILD.builtAt ?? "from source"})\n`,
  }),
});
