import { hostname } from "node:os";
import { join } from "node:path";
import { openRoot } from "../addons/on-host/open-root.ts";
import { EXIT } from "../base/exit-codes.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { acquireLock } from "../host/locks.ts";
import { Systemd } from "../host/systemd.ts";
import { Agent } from "../addons/supervision/agent.ts";
import { USUAL_HEALTH } from "../addons/supervision/health.ts";
import { superviseUntilStopped } from "../addons/supervision/agent-loop.ts";
import { ReportClient } from "../addons/supervision/report-client.ts";
import { readLayout, readToken } from "./addon-flags.ts";
import { readStagingRequest, STAGING_FLAGS, type StagingRequest } from "./staging-request.ts";

const FLAGS = {
  assignments: {
    type: "string",
    required: true,
    valueHint: "FILE|URL",
    description: "what is assigned to this host",
  },
  interval: {
    type: "string",
    default: "60s",
    valueHint: "60s",
    description: "how often the list is asked for; a tenth earlier or later, and not before the server says",
  },
  window: {
    type: "string",
    default: "60s",
    valueHint: "60s",
    description: "how long a new version has to be well, where no manifest says it",
  },
  report: {
    type: "string",
    valueHint: "URL",
    description: "the control plane that is told how this host is; its token needs hosts:report",
  },
  host: { type: "string", valueHint: "NAME", description: "the name of this host in reports (its own)" },
  ...STAGING_FLAGS,
} as const;

export const addonRun: Command = defineCommand({
  name: "run",
  description:
    "the agent of a host: stage what is assigned, run it, watch over it, go back when a new version fails",
  args: FLAGS,
  examples: [
    "waybill addon run --assignments https://cp.example.com/v1/addons/assignments --token-env CP_TOKEN --store https://cp.example.com/v1/artifacts --store-token-env CP_TOKEN --key release.pub --report https://cp.example.com",
    "waybill addon run --assignments list.json --store file:/mnt/artifacts --key release.pub --interval 10s",
  ],
  exits: ["auth", "policy", "missing", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { running: false },
  act: addonRunAct,
});

async function addonRunAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const layout = readLayout(flags, world);
  // Of a list that nobody is asked for it is the report's alone.
  const isAsked = flags.report === undefined || flags.assignments.includes("://");
  const wanted = isAsked ? flags : { ...flags, "token-env": undefined };
  const read = (): Promise<StagingRequest> =>
    readStagingRequest(wanted, layout, { strict: false, retryNow: false }, world);
  const staging = await read();
  const intervalMs = parseDuration(flags.interval, "--interval");
  const host = flags.host ?? hostname();
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u.test(host))
    throw new Failure("invalid_value", `--host is ${quoted(host, 60)}; wanted the name of a host`);
  const windowMs = parseDuration(flags.window, "--window", { least: 0 });
  const allowInsecureHttp = flags["allow-insecure-http"];
  const report =
    flags.report === undefined
      ? null
      : parseEndpoint(flags.report, {
          from: "--report",
          allowInsecureHttp,
          path: "none",
        });
  const { stop } = world;
  // Made and judged before anything is started from it.
  (await openRoot(layout, staging.lockBudgetMs, stop)).release();
  const lock = await acquireLock({
    path: join(layout.root, "agent.lock"),
    what: `the agent of ${quoted(layout.root)}`,
    budgetMs: staging.lockBudgetMs,
    stop,
  });
  try {
    const agent = new Agent({
      staging,
      renewed: read,
      host,
      usual: { ...USUAL_HEALTH, window_ms: windowMs },
      systemd: await Systemd.find().catch(asFailure),
      environment: world.env,
      clock: { ...SYSTEM_CLOCK, random: Math.random, stop },
      say: { info: (text) => world.say.info(text), warn: (text) => world.say.warn(text) },
    });
    const document = { running: true, root: layout.root, pid: process.pid };
    await world.publish({ exit: EXIT.ok, document, text: `supervising ${layout.root}\n` });
    const token = readToken(flags["token-env"], world);
    await superviseUntilStopped(agent, {
      intervalMs,
      reports:
        report === null
          ? null
          : new ReportClient(report, staging.reach, token, (text) => world.say.warn(text)),
      clock: SYSTEM_CLOCK,
      stop,
    });
    return { exit: EXIT.ok, document, text: "" };
  } finally {
    lock.release();
  }
}
