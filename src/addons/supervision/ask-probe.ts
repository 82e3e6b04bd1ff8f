import { statSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../base/limits.ts";
import type { Launch } from "../../host/hand-over.ts";
import { request } from "../../host/http.ts";
import { runProcess } from "../../host/processes.ts";
import { takesConnections } from "../../host/reachable.ts";
import type { Listening } from "./handshake.ts";
import type { Health } from "./health.ts";
import type { Heard } from "./notified.ts";
import type { Answer } from "./sidecar.ts";

/** What a probe may look at. */
export type Asked = {
  readonly health: Health;
  readonly launch: Launch;
  readonly state: string;
  /** Where its handshake said that it listens; null before. */
  readonly listening: Listening | null;
  /** On the clock of `now`. */
  readonly notified: Heard | null;
  readonly now: number;
  readonly stop: AbortSignal;
};

/** As in sysexits.h: it could not be found out, for now. */
const EX_TEMPFAIL = 75;
const EXIT_DEGRADED = 3;

/** Asks a program how it is. Never throws; what cannot be asked is ill, as it would be for whoever uses it. */
export async function askProbe(asked: Asked): Promise<Answer> {
  try {
    return await ask(asked);
  } catch {
    return "ill";
  }
}

async function ask({ health, launch, state, listening, notified, now, stop }: Asked): Promise<Answer> {
  const { probe, timeout_ms: timeoutMs } = health;
  switch (probe.kind) {
    case "process":
      return "well";
    case "tcp":
      return wellIf(await takesConnections({ host: "127.0.0.1", port: probe.port }, timeoutMs));
    case "unix":
      return wellIf(await takesConnections({ path: join(state, probe.path) }, timeoutMs));
    case "file_age": {
      const written = statSync(join(state, probe.path), { throwIfNoEntry: false })?.mtimeMs;
      return wellIf(written !== undefined && Date.now() - written <= probe.max_ms);
    }
    case "http": {
      const url = new URL(`http://127.0.0.1:${probe.port}${probe.path}`);
      const { status } = await request({
        method: "GET",
        url,
        deadlineMs: timeoutMs,
        maxBytes: LIMITS.probeAnswerBytes,
        stop,
      });
      // Too many requests, and not now: it answers, so it is not what has to be replaced.
      if (status === 429 || status === 503) return "degraded";
      return wellIf(status >= 200 && status < 300);
    }
    case "exec": {
      const { path, env, cwd } = launch;
      const process = { program: path, args: probe.args, env, cwd, stop };
      const ran = await runProcess({
        ...process,
        deadlineMs: timeoutMs,
        maxOutputBytes: LIMITS.probeAnswerBytes,
      });
      if (ran.outcome === "stopped") return "unknown";
      if (ran.outcome !== "exited") return "ill";
      if (ran.code === EX_TEMPFAIL) return "unknown";
      return ran.code === EXIT_DEGRADED ? "degraded" : wellIf(ran.code === 0);
    }
    case "sd_notify": {
      if (notified === null || !notified.ready) return "ill";
      return wellIf(probe.watchdog_ms === null || now - notified.lastMs <= probe.watchdog_ms);
    }
    case "handshake":
    default:
      return wellIf(listening !== null && (await takesConnections(listening, timeoutMs)));
  }
}

function wellIf(isWell: boolean): Answer {
  return isWell ? "well" : "ill";
}
