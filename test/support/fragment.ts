import { join } from "node:path";
import { runProgram, type Finished } from "./binary.ts";

const SOURCE = join(import.meta.dir, "../../src");

/** The words that run a few lines of TypeScript in a process of their own; `"src/…"` names a file of the program. */
export function fragment(code: string): readonly string[] {
  return [process.execPath, "-e", code.replaceAll('"src/', `"${SOURCE}/`)];
}

/** Runs a shell line in which `"$@"` is the program. */
export async function inShell(line: string, words: readonly string[]): Promise<Finished> {
  return runProgram(["/bin/sh", "-c", line, "sh", ...words]);
}
