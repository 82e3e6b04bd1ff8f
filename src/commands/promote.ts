import type { Failure } from "../base/failure.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { prepareReport, REPORT_FLAGS } from "../cli/report-flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { exitOfLegs } from "../pins/leg.ts";
import { pinDocument } from "../pins/pin-document.ts";
import type { Exchange } from "../pins/pin-client.ts";
import type { WantedPin } from "../pins/pin.ts";
import { promoteAll } from "../pins/promote.ts";
import type { PromotionRules } from "../pins/promotion-rules.ts";
import type { Target } from "../pins/target.ts";
import type { Envelope } from "../trust/dsse.ts";
import { evidenceFlag, GATE_FLAGS, POLICY_FLAGS, TRUST_FLAGS } from "./evidence-flags.ts";
import { EVENT_FLAGS, refuseProposedChange } from "./event-rule.ts";
import { IMAGE_CHECK_FLAGS, IMAGE_FLAG, openImageChecks, withUnreadDigest } from "./image-flags.ts";
import { failuresOf, inEnvironment, textOfLegs, warnOfLegs } from "./leg-words.ts";
import { PIN_FLAGS, PLACE_FLAGS, readCommitRule, readExchange, readPins } from "./pin-flags.ts";
import { pinReport } from "./pin-report.ts";
import { readTargets } from "./pin-targets.ts";
import type { GateResult } from "./promote-gate.ts";
import type { Receipts } from "./promote-receipts.ts";
import { namesReceipts, RECEIPT_FLAGS } from "./receipt-flags.ts";
import { PROMOTE_FLAGS, readNote, readRules, readRun } from "./promote-flags.ts";

const FLAGS = {
  ...PIN_FLAGS,
  ...PLACE_FLAGS,
  ...REPORT_FLAGS,
  ...IMAGE_FLAG,
  ...IMAGE_CHECK_FLAGS,
  ...EVENT_FLAGS,
  ...PROMOTE_FLAGS,
  ...GATE_FLAGS,
  ...TRUST_FLAGS,
  ...POLICY_FLAGS,
  ...RECEIPT_FLAGS,
} as const;

export const promote: Command = defineCommand({
  name: "promote",
  description: "pin an image digest in one or more environments, and prove by reading back that it landed",
  args: FLAGS,
  examples: [
    "waybill promote --template codex --digest sha256:… --target prod=https://cp.example.com --token-env prod=CP_TOKEN",
    "waybill promote --pin codex=sha256:… --pin hermes=sha256:… --config targets.json --all",
    "waybill promote --template codex --digest sha256:… --config targets.json --env prod --receipt-key promote.key",
    "waybill promote --template codex --digest sha256:… --config targets.json --env prod --attestation codex.sigstore.json --trust trust.json --policy policy.signed.json --dry-run",
  ],
  exits: [
    "partial",
    ...(["auth", "policy", "untrusted", "missing", "mismatch", "rejected", "protocol"] as const),
    ...(["conflict", "transport", "server", "unknown", "changes", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, legs: [] },
  act: promoteAct,
});

async function promoteAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  await prepareReport(flags, world);
  const named = readPins(withUnreadDigest(flags), world, "promote");
  const note = readNote(flags, world);
  const commit = readCommitRule(flags, note.gitSha);
  const rules = readRules(flags, named.length);
  const exchange = readExchange(flags, world);
  const checks = await openImageChecks(flags, named, exchange, world);
  // Before the credentials, which such a run often lacks: this is the reason.
  refuseProposedChange(flags["allow-event"], world);
  const targets = readTargets(flags, world);
  const pins = (await checks?.proveBefore(named)) ?? named;
  const gate = await openGate(flags, pins, targets, world);
  if (gate !== null && gate.failure !== null) return shut(gate, gate.failure, flags["dry-run"]);
  const evidence = flags["dry-run"] ? [] : (gate?.evidence ?? []);
  const beforeWrites = (): Promise<void> => handInEvidence(targets, evidence, exchange, rules, world);
  const work = { targets, pins, exchange, clock: SYSTEM_CLOCK, commit, beforeWrites };
  const receipts = await openReceipts(flags, targets, pins, exchange, world);
  const promoted = await promoteAll(work, note, rules, readRun(world));
  const legs = (await receipts?.writeAll(promoted, note, gate, exchange, rules)) ?? promoted;
  warnOfLegs(legs, world);
  await checks?.tellDrift();
  return {
    exit: exitOfLegs(legs),
    // Made when it is asked for: most runs print the text alone.
    get document() {
      return {
        ...pinDocument(pins, note, legs, exchange.connection),
        ...checks?.document(),
        ...gate?.document,
      };
    },
    text: `${flags["dry-run"] ? (gate?.text ?? "") : ""}${await textOfLegs(legs, world)}`,
    report: () => pinReport(pins, legs),
    failures: failuresOf(legs),
  };
}

/** Control planes with a policy of their own judge by what they have. */
async function handInEvidence(
  targets: readonly Target[],
  evidence: readonly Envelope[],
  exchange: Exchange,
  { retryIntervalMs: intervalMs }: PromotionRules,
  world: World,
): Promise<void> {
  if (evidence.length === 0) return;
  const { handIn } = await import("../pins/hand-in.ts");
  // No longer than for one attempt: the promotion has its own patience.
  const tools = { exchange, clock: SYSTEM_CLOCK, timeoutMs: exchange.attemptTimeoutMs, intervalMs };
  for (const { env, count, failure } of await handIn(targets, evidence, tools)) {
    if (failure === null) world.say.info(`${env}: handed ${count} signed statements in for its policy`);
    else world.say.warn(`${env}: the evidence was not handed in for its policy: ${failure.message}`);
  }
}

/** Nothing was sent: the evidence does not hold, or the policy does not allow it. */
function shut(gate: GateResult, failure: Failure, asked: boolean): Outcome {
  const failures = gate.decisions.flatMap(({ env, template, refusals }) =>
    refusals.map((one) => inEnvironment(`${template} in ${env}`, one)),
  );
  return {
    exit: failure.exitCode,
    document: { checked: 0, legs: [], ...gate.document, error: failure.toDocument() },
    text: asked ? gate.text : "",
    failures: failures.length > 0 ? failures : [failure],
  };
}

/** Null when no evidence is named: most runs need not load what reads it. */
async function openGate(
  flags: Values<typeof FLAGS>,
  pins: readonly WantedPin[],
  targets: readonly Target[],
  world: World,
): Promise<GateResult | null> {
  if (evidenceFlag(flags) === null) return null;
  const { checkGate } = await import("./promote-gate.ts");
  return checkGate(flags, pins, targets, world);
}

/** Null when no receipts are asked for. */
async function openReceipts(
  flags: Values<typeof FLAGS>,
  targets: readonly Target[],
  pins: readonly WantedPin[],
  exchange: Exchange,
  world: World,
): Promise<Receipts | null> {
  if (!namesReceipts(flags)) return null;
  const module = await import("./promote-receipts.ts");
  const receipts = await module.openReceipts(flags, targets, pins, exchange, world);
  // What would be promoted has no receipt.
  return flags["dry-run"] ? null : receipts;
}
