import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import type { Leg } from "../pins/leg.ts";
import type { PinNote, WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import type { PromotionRules } from "../pins/promotion-rules.ts";
import type { Target } from "../pins/target.ts";
import { refuseUnreceipted, writeReceipts, type ReceiptWriter } from "../pins/write-receipts.ts";
import { readCi } from "../source/ci.ts";
import type { ReceiptDecision } from "../trust/attestation-promotion.ts";
import { protectFiles } from "../trust/public-output.ts";
import type { SigningKey } from "../trust/signing-key.ts";
import { readSigningKey, signingKeyFile, type SigningKeyFlags } from "./key-flags.ts";
import type { GateResult } from "./promote-gate.ts";
import type { ReceiptFlags } from "./receipt-flags.ts";

/** The receipts of one run of `promote`: its key is read before anything is sent. */
export class Receipts {
  readonly #key: SigningKey;
  readonly #out: string | null;
  readonly #world: World;

  constructor(key: SigningKey, out: string | null, world: World) {
    this.#key = key;
    this.#out = out;
    this.#world = world;
  }

  writeAll(
    legs: readonly Leg[],
    note: PinNote,
    gate: GateResult | null,
    exchange: Exchange,
    { timeoutMs, retryIntervalMs }: PromotionRules,
  ): Promise<Leg[]> {
    const { env, now } = this.#world;
    const writer: ReceiptWriter = {
      key: this.#key,
      out: this.#out,
      runUrl: readCi(env, null)?.runUrl ?? null,
      actor: actorOf(env),
      note,
      decision: (name, template) => decisionOf(gate, name, template),
      now,
    };
    return writeReceipts(legs, writer, {
      exchange,
      clock: SYSTEM_CLOCK,
      timeoutMs,
      intervalMs: retryIntervalMs,
    });
  }
}

/**
 * Throws Failure: a usage code, one of the key, or `server_unsupported` when a control plane keeps no receipts, before
 * anything is promoted.
 */
export async function openReceipts(
  flags: ReceiptFlags & { readonly "no-verify": boolean },
  targets: readonly Target[],
  pins: readonly WantedPin[],
  exchange: Exchange,
  world: World,
): Promise<Receipts> {
  const named: SigningKeyFlags = {
    key: flags["receipt-key"],
    "key-env": flags["receipt-key-env"],
    "key-fd": flags["receipt-key-fd"],
    "passphrase-file": flags["passphrase-file"],
    "passphrase-fd": flags["passphrase-fd"],
  };
  if (flags["no-verify"])
    throw new Failure("flags_contradict", "--no-verify and --receipt-key contradict each other", {
      hint: "a receipt says what was read back",
    });
  const key = await readSigningKey(named, world, "receipt-");
  const out = flags["receipt-out"] ?? null;
  const keyFile = signingKeyFile(named);
  if (out !== null && keyFile !== null) protectFiles(out, [keyFile]);
  await refuseUnreceipted(targets, pins, exchange);
  return new Receipts(key, out, world);
}

/** Who started the run, as the CI systems say it; a claim, like everything that a variable says. */
const ACTORS = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "BUILD_USER_ID"] as const;

function actorOf(env: World["env"]): string | null {
  const found = ACTORS.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  return found !== undefined && /^[\u0020-\u007e]{1,200}$/u.test(found) ? found : null;
}

function decisionOf(gate: GateResult | null, env: string, template: string): ReceiptDecision | null {
  const decision = gate?.decisions.find((one) => one.env === env && one.template === template);
  if (gate === null || decision === undefined) return null;
  const { rules, warnings, evidence } = decision;
  return { policy: gate.policy, rules: rules.map(({ name: rule }) => rule), warnings, evidence };
}
