import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { paths } from "../host/file-system.ts";
import type { World } from "./command.ts";
import type { Values } from "./flags.ts";

/** The flags of a command whose result CI systems go on with. */
export const REPORT_FLAGS = {
  output: {
    type: "string",
    alias: "o",
    valueHint: "junit=PATH",
    description: "write a JUnit report, one test case for each part of the run",
  },
  "require-outputs": {
    type: "boolean",
    description: "fail (1) when the step outputs cannot be written to $GITHUB_OUTPUT",
  },
} as const;

/** Before anything is sent: rejects with Failure `invalid_value` or `output_not_written`. */
export async function prepareReport(flags: Values<typeof REPORT_FLAGS>, world: World): Promise<void> {
  const { output, "require-outputs": requireOutputs } = flags;
  const path = output?.startsWith("junit=") === true ? output.slice("junit=".length) : null;
  if (output !== undefined && (path === null || path === "" || path.includes("\u0000"))) {
    throw new Failure("invalid_value", `--output is ${quoted(output)}; wanted junit=PATH`);
  }
  world.askForCiFiles({ junit: path === null ? null : paths().resolve(world.cwd, path), requireOutputs });
  if (requireOutputs) (await import("./ci-report.ts")).refuseMissingOutputs(world.env);
}
