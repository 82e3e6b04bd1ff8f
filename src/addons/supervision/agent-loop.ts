import { asFailure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Clock } from "../../host/clock.ts";
import { request } from "../../host/http.ts";
import { failureOfStatus } from "../../stores/http-status.ts";
import type { Agent } from "./agent.ts";
import { nextPollMs, type HostStatus } from "./status-report.ts";

export type Supervision = {
  readonly intervalMs: number;
  readonly report: URL | null;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly say: { readonly warn: (text: string) => void; readonly debug: (text: string) => void };
};

const TICK_MS = 100;
const REPORT_MS = 10_000;
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
  await sendStatus(agent.status(), supervision, 500, AbortSignal.timeout(500));
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
  while (!stop.aborted) {
    const done = await agent.round();
    if (stop.aborted) return;
    await sendStatus(agent.status(), supervision, REPORT_MS, stop);
    const wait = nextPollMs(intervalMs, done?.retryAfter ?? null, Date.now(), Math.random());
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

/** A server that does not know such reports, or cannot be reached, changes nothing on this host. */
async function sendStatus(
  status: HostStatus,
  { report, token, say }: Supervision,
  deadlineMs: number,
  stop: AbortSignal,
): Promise<void> {
  if (report === null) return;
  try {
    const { status: code, headers } = await request({
      method: "POST",
      url: report,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(status),
      deadlineMs,
      maxBytes: LIMITS.apiAnswerBytes,
      stop,
    });
    if (code < 200 || code > 299) say.debug(failureOfStatus(code, headers, report).message);
  } catch (error) {
    say.debug(`the state of this host was not sent: ${asFailure(error).message}`);
  }
}
