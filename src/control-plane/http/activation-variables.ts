import { Failure } from "../../base/failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Checks that this process, and not one before it, was handed one socket. Throws Failure `invalid_value`. */
export function readActivation(env: Environment, pid: number): void {
  const found = `LISTEN_PID=${env["LISTEN_PID"] ?? ""} LISTEN_FDS=${env["LISTEN_FDS"] ?? ""}`;
  if (env["LISTEN_PID"] === String(pid) && env["LISTEN_FDS"] === "1") return;
  throw new Failure("invalid_value", `--listen systemd: no socket was handed to this process (${found})`, {
    hint: "start it from a unit with one ListenStream=",
  });
}
