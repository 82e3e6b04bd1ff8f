import { resolve } from "node:path";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { defineCommand, type Command, type Json, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { readBounded } from "../host/files.ts";
import { auditAll, type Audited } from "../pins/audit.ts";
import { compareListings, type Compared } from "../pins/drift.ts";
import { parseExpectedPins, type ExpectedPins } from "../pins/expected-pins.ts";
import { exitOfCodes } from "../pins/leg.ts";
import { TRUST_FLAGS } from "./evidence-flags.ts";
import { asksForChain, CHAIN_FLAGS, verifyChain } from "./verify-chain.ts";
import { inEnvironment } from "./leg-words.ts";
import { PLACE_FLAGS, readExchange } from "./pin-flags.ts";
import { readTargets } from "./pin-targets.ts";

const FLAGS = {
  ...PLACE_FLAGS,
  ...TRUST_FLAGS,
  lineage: {
    type: "boolean",
    description: "follow each pin to its receipt, its build record, its commit and its capture",
  },
  template: {
    type: "string",
    valueHint: "T",
    description: "with --lineage: the pins of this template alone",
  },
  attestation: {
    type: "string",
    repeat: true,
    valueHint: "FILE",
    description: "with --lineage: signed captures of the images",
  },
  expect: {
    type: "string",
    valueHint: "FILE",
    description: 'what should be pinned everywhere: {"TEMPLATE": "sha256:…"}',
  },
  ...CHAIN_FLAGS,
} as const;

export const verifyAudit: Command = defineCommand({
  name: "audit",
  description: "where environments differ in their pins, or whether a control plane's record is whole",
  args: FLAGS,
  examples: [
    "waybill verify audit --config targets.json --all",
    "waybill verify audit --config targets.json --env prod --lineage --trust trust.json",
    "waybill verify audit --target prod=https://cp.example.com --expect pins.json",
    "waybill verify audit --chain --target prod=https://cp.example.com --export events.jsonl",
    "waybill verify audit --events events.jsonl --expect-head 4711:9f86d0…",
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
  emptyDocument: { checked: 0, environments: [], pins: [] },
  act: verifyAuditAct,
});

async function verifyAuditAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  refuseStrayLineage(flags);
  if (asksForChain(flags)) return verifyChain(flags, world);
  const expected = flags.expect === undefined ? null : readExpected(flags.expect, world);
  const exchange = readExchange(flags, world);
  const rule = {
    timeoutMs: parseDuration(flags.timeout, "--timeout"),
    intervalMs: parseDuration(flags["retry-interval"], "--retry-interval"),
  };
  const targets = readTargets(flags, world);
  if (!flags.lineage && targets.length < 2 && expected === null) {
    throw new Failure("nothing_named", "one environment alone has nothing to differ from", {
      hint: "name a second environment, or what should be pinned with --expect FILE",
    });
  }
  const audited = await auditAll(targets, exchange, SYSTEM_CLOCK, rule);
  if (flags.lineage) {
    const { auditLineage } = await import("./verify-lineage.ts");
    return auditLineage(audited, flags, rule.timeoutMs, exchange, world);
  }
  const listed = audited.flatMap((one) => ("rows" in one ? [{ env: one.target.env, rows: one.rows }] : []));
  // What is left when others could not be read may have nothing to be compared with.
  const pins =
    listed.length === 0 || (listed.length === 1 && expected === null)
      ? []
      : compareListings(listed, expected);
  const failures = failuresOf(audited, pins);
  return {
    exit: exitOf(audited, failures, pins.length > 0),
    document: documentOf(audited, pins),
    text: describe(pins),
    failures,
  };
}

/** What is for the one kind of audit means nothing in the other, and whoever gave it believes that it does. */
function refuseStrayLineage(flags: Values<typeof FLAGS>): void {
  if (flags.lineage) {
    if (flags.chain || flags.events !== undefined)
      throw new Failure("flags_contradict", "--chain and --lineage are two audits; ask for one");
    if (flags.expect !== undefined)
      throw new Failure("flags_contradict", "--expect and --lineage contradict each other");
    if (flags.key.length === 0 && flags.trust === undefined)
      throw new Failure("flag_missing", "--lineage needs --key or --trust: whose receipts count");
    return;
  }
  const names = ["key", "trust", "trust-state", "role", "threshold", "template", "attestation"] as const;
  const stray = names.find((name) => flags[name] !== undefined && flags[name].length > 0);
  if (stray === undefined) return;
  throw new Failure("flags_contradict", `--${stray} was given without --lineage, which it is for`);
}

function readExpected(path: string, world: World): ExpectedPins {
  return parseExpectedPins(
    readBounded(resolve(world.cwd, path), LIMITS.documentBytes, "--expect", "config_unreadable"),
    path,
  );
}

function failuresOf(audited: readonly Audited[], pins: readonly Compared[]): Failure[] {
  const unread = audited.flatMap((one) =>
    "failure" in one ? [inEnvironment(one.target.env, one.failure)] : [],
  );
  const drifting = pins.filter(({ drift }) => drift.length > 0);
  if (drifting.length > 0) {
    const names = drifting.slice(0, 10).map(({ template, region }) => `${template} (${region})`);
    const more = drifting.length > names.length ? ` and ${drifting.length - names.length} more` : "";
    const message = `${drifting.length} of ${pins.length} pins drift: ${names.join(", ")}${more}`;
    return [
      ...unread,
      new Failure("pin_drift", message, { hint: "promote what should be there, or expect what is" }),
    ];
  }
  // Nothing was found to be wrong because nothing was found.
  if (pins.length > 0 || unread.length > 0) return unread;
  return [new Failure("nothing_checked", "no environment has any pin")];
}

/** Drift that was seen is told by its own code, also when another environment could not be read. */
function exitOf(audited: readonly Audited[], failures: readonly Failure[], isCompared: boolean): ExitCode {
  if (failures.length === 0) return EXIT.ok;
  if (failures.some(({ code }) => code === "pin_drift")) return EXIT.mismatch;
  const unread = audited.flatMap((one) => ("failure" in one ? [one.failure.exitCode] : []));
  if (unread.length === 0) return EXIT.missing;
  return exitOfCodes(isCompared ? [EXIT.ok, ...unread] : unread);
}

function documentOf(audited: readonly Audited[], pins: readonly Compared[]): Record<string, Json> {
  return {
    checked: pins.reduce((sum, { found }) => sum + found.filter(({ digest }) => digest !== null).length, 0),
    drifting: pins.filter(({ drift }) => drift.length > 0).length,
    environments: audited.map((one) => ({
      env: one.target.env,
      origin: one.target.base.origin,
      ok: "rows" in one,
      pins: "rows" in one ? one.rows.length : 0,
      error: "failure" in one ? { ...one.failure.toDocument() } : null,
    })),
    pins: pins.map(({ template, region, expected, found, drift }) => ({
      template,
      region,
      expected,
      found: Object.fromEntries(found.map(({ env, digest }) => [env, digest])),
      drift: [...drift],
    })),
  };
}

function describe(pins: readonly Compared[]): string {
  const lines = pins.flatMap(({ template, region, expected, found, drift }) => {
    const name = `${template} (${region})`;
    if (drift.length === 0) return [`OK      ${name} ${found[0]?.digest ?? ""}`];
    return [
      `DRIFT   ${name} ${drift.join(", ")}`,
      ...(expected === null ? [] : [`          expected ${expected}`]),
      ...found.map(({ env, digest }) => `          ${env} ${digest ?? "has no pin"}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}
