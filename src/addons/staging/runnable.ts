import { accessSync, constants, statSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { reason } from "../../host/files.ts";
import type { Run } from "./run.ts";

/** File systems can be mounted so that nothing on them runs: that is for people to know, and to want perhaps. */
export function warnWhenInert(path: string, run: Run): void {
  try {
    if (run.isHost) accessSync(path, constants.X_OK);
  } catch (error) {
    run.warn({
      code: "root_noexec",
      message: `${quoted(path)} cannot be run here: ${reason(error)} (is it mounted noexec?)`,
    });
  }
}

/** What is wrong with a program that the host has to have already; null when it can be run. */
export function hostBinaryProblem(path: string): Failure | null {
  try {
    if (!statSync(path).isFile())
      return new Failure("binary_missing", `binary_path ${quoted(path)} is no file`);
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return new Failure("binary_missing", `binary_path ${quoted(path)} cannot be run: ${reason(error)}`, {
      hint: "the assignment names no artifact, so the program has to be on the host already",
    });
  }
}
