import { EXIT } from "./base/exit-codes.ts";
import { run } from "./cli/run.ts";
import { root } from "./commands/root.ts";
import { tamperedRuntime } from "./host/runtime.ts";

/** How long a command may go on after SIGINT or SIGTERM before the process ends without it. */
const GRACE_MS = 5_000;

const stop = new AbortController();
const signals = [
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", EXIT.terminated],
] as const;
for (const [signal, code] of signals) {
  process.on(signal, () => {
    // The second signal means now; the first one means soon. A verdict that stands already is the better answer.
    if (stop.signal.aborted) process.exit(process.exitCode ?? code);
    stop.abort(signal);
    setTimeout(() => process.exit(process.exitCode ?? code), GRACE_MS).unref();
  });
}

/** A folder that was removed under us is no reason to fail: what is named in it is then not found. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/proc/self/cwd";
  }
}

process.exitCode = await run(root, process.argv.slice(2), tamperedRuntime(), {
  env: process.env,
  cwd: workingFolder(),
  stop: stop.signal,
  now: () => new Date(),
});
