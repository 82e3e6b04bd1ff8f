import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { prepareReport, REPORT_FLAGS } from "../cli/report-flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { exitOfLegs } from "../pins/leg.ts";
import { isGitSha, type PinNote } from "../pins/pin.ts";
import { describeLegs, pinDocument } from "../pins/pin-document.ts";
import { promoteAll } from "../pins/promote.ts";
import { PIN_FLAGS, readCount, readExchange, readPins } from "./pin-flags.ts";
import { pinReport } from "./pin-report.ts";
import { readTargets } from "./pin-targets.ts";

const FLAGS = {
  ...PIN_FLAGS,
  ...REPORT_FLAGS,
  "git-sha": { type: "string", valueHint: "SHA", description: "the commit that the image was built from" },
  notes: { type: "string", valueHint: "TEXT", description: "kept with the pin" },
  for: {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "how long to read back until it is equal",
  },
  "conflict-budget": {
    type: "string",
    valueHint: "180s",
    default: "180s",
    description: "how long to wait out a 409",
  },
} as const;

export const promote: Command = defineCommand({
  name: "promote",
  description: "pin an image digest in one or more environments, and prove by reading back that it landed",
  args: FLAGS,
  examples: [
    "waybill promote --template codex --digest sha256:… --target prod=https://cp.example.com --token-env prod=CP_TOKEN",
    "waybill promote --pin codex=sha256:… --pin hermes=sha256:… --config targets.json --all",
  ],
  exits: [
    "partial",
    ...(["auth", "policy", "missing", "mismatch", "rejected", "protocol"] as const),
    ...(["conflict", "transport", "server", "unknown", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, legs: [] },
  act: promoteAct,
});

async function promoteAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  prepareReport(flags, world);
  const pins = readPins(flags, world);
  const note = readNote(flags, world);
  const exchange = readExchange(flags, world);
  const intervalMs = parseDuration(flags["retry-interval"], "--retry-interval");
  const rules = {
    timeoutMs: parseDuration(flags.timeout, "--timeout"),
    conflictBudgetMs: parseDuration(flags["conflict-budget"], "--conflict-budget"),
    retryIntervalMs: intervalMs,
    readBack: {
      until: "equal" as const,
      forMs: parseDuration(flags.for, "--for"),
      stable: readCount(flags.stable, "--stable"),
      // The first read-back is usually right; a replica that lags is asked again soon.
      intervalMs: Math.min(intervalMs, 1_000),
    },
  };
  const targets = readTargets(flags, world);
  const legs = await promoteAll({ targets, pins, exchange, clock: SYSTEM_CLOCK }, note, rules);
  return {
    exit: exitOfLegs(legs),
    document: pinDocument(pins, note, legs),
    text: describeLegs(legs),
    report: pinReport(pins, legs),
    failures: legs.flatMap((leg) =>
      leg.failure === null ? [] : [inEnvironment(leg.target.env, leg.failure)],
    ),
  };
}

function readNote(flags: Values<typeof FLAGS>, world: World): PinNote {
  const gitSha = flags["git-sha"] ?? world.env["GIT_SHA"];
  if (gitSha !== undefined && !isGitSha(gitSha)) {
    throw new Failure(
      "invalid_value",
      `--git-sha is ${quoted(gitSha)}; wanted 7 to 64 lower-case hex characters`,
      {
        hint: "a name such as HEAD, or a -dirty suffix, says nothing that can be checked later",
      },
    );
  }
  const notes = flags.notes === undefined ? undefined : printable(flags.notes, LIMITS.notesChars - 1);
  return { gitSha, notes };
}

/** The same failure, saying in which environment. */
export function inEnvironment(env: string, failure: Failure): Failure {
  return new Failure(failure.code, `${env}: ${failure.message}`, failure);
}
