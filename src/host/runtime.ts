import { Failure } from "../base/failure.ts";

/** What scripts/build embeds. Anything more came from BUN_OPTIONS, which can preload foreign code. */
const EMBEDDED = ["--disallow-code-generation-from-strings=strict"];

/** True in the compiled binary, false under `bun run` and `bun test`. */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/") || Bun.main.startsWith("B:/~BUN/");
}

/** The refusal to run when the runtime was started with foreign options, or null. */
export function tamperedRuntime(): Failure | null {
  const found = process.execArgv;
  // First what is true of nearly every run: where the program lies is asked of the file system.
  if (found.length === EMBEDDED.length && found.every((option, index) => option === EMBEDDED[index]))
    return null;
  if (!isCompiled()) return null;
  return new Failure("runtime_tampered", `the runtime was started with foreign options: ${found.join(" ")}`, {
    hint: "unset BUN_OPTIONS and run again",
  });
}
