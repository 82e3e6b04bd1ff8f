import type { Clock } from "../../host/clock.ts";
import type { Agent } from "./agent.ts";
import { nextPollMs } from "./next-poll.ts";
import type { ReportClient } from "./report-client.ts";
import { WatchedRounds } from "./watched-rounds.ts";

export type Supervision = {
  readonly intervalMs: number;
  /** Who is told; null for nobody. */
  readonly reports: ReportClient | null;
  readonly clock: Clock;
  readonly stop: AbortSignal;
};

const TICK_MS = 100;
const REPORT_MS = 10_000;
const LAST_REPORT_MS = 500;
/** Below the five seconds after which a stopped process is ended without asking. */
const DRAIN_MS = 3_500;
const KILL_MS = 1_000;

/** Runs the agent until `stop`, and then ends what it started. */
export async function superviseUntilStopped(agent: Agent, supervision: Supervision): Promise<void> {
  agent.begin();
  const ticking = tickUntil(agent, supervision);
  await pollUntil(agent, supervision);
  await ticking;
  await drain(agent, supervision.clock);
  // What was told last is what is true now; a server that takes long is not waited for.
  await supervision.reports?.send(agent.status(), LAST_REPORT_MS, new AbortController().signal);
  await agent.end();
}

async function tickUntil(agent: Agent, { clock, stop }: Supervision): Promise<void> {
  while (!stop.aborted) {
    agent.tick();
    await clock.sleep(TICK_MS, stop);
  }
}

async function pollUntil(agent: Agent, supervision: Supervision): Promise<void> {
  const { clock, stop, intervalMs } = supervision;
  const rounds = new WatchedRounds(agent, clock, intervalMs, stop);
  while (!stop.aborted) {
    const done = await rounds.next();
    if (stop.aborted) return;
    if (done === "overtaken") continue;
    await supervision.reports?.send(agent.status(), REPORT_MS, stop);
    const wait = nextPollMs(intervalMs, done?.askedMs ?? null, Math.random());
    await clock.sleep(wait, stop);
  }
}

/** SIGTERM to everything at once, then SIGKILL; a host that shuts down does not wait for one that hangs. */
async function drain(agent: Agent, clock: Clock): Promise<void> {
  const never = new AbortController().signal;
  agent.drain();
  const begun = clock.now();
  for (let isKilled = false; !agent.isQuiet && clock.now() - begun < DRAIN_MS + KILL_MS;) {
    if (!isKilled && clock.now() - begun >= DRAIN_MS) {
      agent.kill();
      isKilled = true;
    }
    await clock.sleep(20, never);
    agent.tick();
  }
}
