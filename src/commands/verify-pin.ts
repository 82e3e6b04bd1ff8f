import { Failure } from "../base/failure.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { prepareReport, REPORT_FLAGS } from "../cli/report-flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { exitOfLegs, type Leg } from "../pins/leg.ts";
import { pinDocument } from "../pins/pin-document.ts";
import type { WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import type { ReadBackRule } from "../pins/read-back.ts";
import { verifyAll } from "../pins/verify.ts";
import { readCount } from "./counts.ts";
import { TRUST_FLAGS } from "./evidence-flags.ts";
import { IMAGE_CHECK_FLAGS, openImageChecks } from "./image-flags.ts";
import { judgingTime } from "./judging-time.ts";
import {
  PIN_FLAGS,
  PLACE_FLAGS,
  readCommit,
  readCommitRule,
  readExchange,
  readPins,
  readUnwanted,
} from "./pin-flags.ts";
import { failuresOf, textOfLegs, warnOfLegs } from "./leg-words.ts";
import { REQUIRE_RECEIPT_FLAG } from "./receipt-flags.ts";
import { pinReport } from "./pin-report.ts";
import { readTargets } from "./pin-targets.ts";

const FLAGS = {
  ...PIN_FLAGS,
  ...PLACE_FLAGS,
  ...REPORT_FLAGS,
  ...IMAGE_CHECK_FLAGS,
  ...REQUIRE_RECEIPT_FLAG,
  ...TRUST_FLAGS,
  for: {
    type: "string",
    valueHint: "30s",
    default: "0s",
    description: "how long to poll until it is equal (0s: one read)",
  },
  not: {
    type: "string",
    valueHint: "DIGEST",
    description: "in place of --digest: there is a pin, and not at this one",
  },
} as const;

export const verifyPin: Command = defineCommand({
  name: "pin",
  description: "read pins back and compare them with what they should be; writes nothing",
  args: FLAGS,
  examples: [
    "waybill verify pin --template codex --digest sha256:… --target prod=https://cp.example.com",
    "waybill verify pin --pin codex=sha256:… --config targets.json --all --for 2m --stable 3",
    "waybill verify pin --template codex --digest sha256:… --config targets.json --env prod --require-receipt --trust trust.json",
  ],
  exits: [
    "partial",
    "auth",
    "policy",
    "untrusted",
    "missing",
    "mismatch",
    "protocol",
    "conflict",
    "transport",
    "server",
    "interrupted",
    "terminated",
  ],
  emptyDocument: { checked: 0, legs: [] },
  act: verifyPinAct,
});

async function verifyPinAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  await prepareReport(flags, world);
  const pins =
    flags.not === undefined ? readPins(flags, world, "verify") : [readUnwanted(flags, flags.not, world)];
  const exchange = readExchange(flags, world);
  const checks = await openImageChecks(flags, pins, exchange, world);
  const rule = {
    until: "equal" as const,
    forMs: parseDuration(flags.for, "--for", { least: 0 }),
    limitMs: parseDuration(flags.timeout, "--timeout"),
    stable: readCount(flags.stable, "--stable"),
    intervalMs: Math.min(parseDuration(flags["retry-interval"], "--retry-interval"), 1_000),
  };
  const requireReceipts = await openReceiptDemand(flags, pins, rule, exchange, world);
  const targets = readTargets(flags, world);
  // The script that this replaces does not look at $GIT_SHA here.
  const commit = readCommitRule(flags, readCommit(flags["git-sha"]));
  const read = await verifyAll({ targets, pins, exchange, clock: SYSTEM_CLOCK, commit }, rule);
  const proven = (await checks?.proveAfter(read)) ?? read;
  const legs = (await requireReceipts?.(proven)) ?? proven;
  warnOfLegs(legs, world);
  return {
    exit: exitOfLegs(legs),
    // Made when it is asked for: most runs print the text alone.
    get document() {
      return { ...pinDocument(pins, null, legs, exchange.connection), ...checks?.document() };
    },
    text: await textOfLegs(legs, world),
    report: () => pinReport(pins, legs),
    failures: failuresOf(legs),
  };
}

/** What holds proven legs against their receipts; null when none are asked for. */
async function openReceiptDemand(
  flags: Values<typeof FLAGS>,
  pins: readonly WantedPin[],
  { forMs, intervalMs }: ReadBackRule,
  exchange: Exchange,
  world: World,
): Promise<((legs: readonly Leg[]) => Promise<Leg[]>) | null> {
  if (!flags["require-receipt"]) {
    refuseStrayTrust(flags);
    return null;
  }
  if (flags.not !== undefined)
    throw new Failure("flags_contradict", "--not and --require-receipt contradict each other", {
      hint: "a receipt is for one digest",
    });
  const [{ readReceiptTrust }, { requireReceipts }] = await Promise.all([
    import("./receipt-demand.ts"),
    import("../pins/require-receipts.ts"),
  ]);
  const now = judgingTime(world);
  const trusted = readReceiptTrust(flags, pins, now);
  return (legs) => requireReceipts(legs, { trusted, now, exchange, clock: SYSTEM_CLOCK, forMs, intervalMs });
}

/** A key without receipts checks nothing, and whoever gave it believes that it does. */
function refuseStrayTrust(flags: Values<typeof FLAGS>): void {
  for (const name of ["key", "trust", "trust-state", "role", "threshold"] as const) {
    const value = flags[name];
    if (value === undefined || value.length === 0) continue;
    throw new Failure("flags_contradict", `--${name} was given without --require-receipt, which it is for`);
  }
}
