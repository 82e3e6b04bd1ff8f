import { Failure } from "./failure.ts";

/** The failure that stands for a run stopped by SIGINT or SIGTERM. `stop.reason` is the signal's name. */
export function interruption(stop: AbortSignal, during: string): Failure {
  const code = stop.reason === "SIGTERM" ? "terminated" : "interrupted";
  return new Failure(code, `stopped by ${String(stop.reason)} while ${during}`, {
    hint: "running it again is safe",
  });
}

export function throwIfStopped(stop: AbortSignal, during: string): void {
  if (stop.aborted) throw interruption(stop, during);
}
