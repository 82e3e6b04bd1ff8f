import type { Clock } from "../../src/host/clock.ts";
import type { Leg } from "../../src/pins/leg.ts";
import type { Exchange } from "../../src/pins/pin-client.ts";
import type { PinNote, WantedPin } from "../../src/pins/pin.ts";
import type { CommitRule } from "../../src/pins/leg-warnings.ts";
import type { PromotionRules } from "../../src/pins/promotion-rules.ts";
import { promoteAll } from "../../src/pins/promote.ts";
import { verifyAll } from "../../src/pins/verify.ts";
import type { ReadBackRule } from "../../src/pins/read-back.ts";
import type { Target } from "../../src/pins/target.ts";
import { scriptedServer, type Answer, type Plan, type Step } from "../support/scripted-server.ts";
import { FakeClock } from "./fake-clock.ts";
import { listing, NEW, row } from "./rows.ts";

export const WANTED: WantedPin = { template: "codex", region: "global", digest: NEW };
export const READ_ONCE: ReadBackRule = {
  until: "equal",
  forMs: 0,
  limitMs: 60_000,
  stable: 1,
  intervalMs: 1_000,
};
export const RULES: PromotionRules = {
  timeoutMs: 20_000,
  conflictBudgetMs: 60_000,
  retryIntervalMs: 5_000,
  readBack: { ...READ_ONCE, forMs: 3_000 },
};

type Given = {
  readonly targets: readonly Target[];
  readonly pins?: readonly WantedPin[];
  readonly clock?: Clock;
  readonly exchange?: Partial<Exchange>;
  readonly commit?: CommitRule;
  readonly run?: string;
};

export function target(url: string, env = "prod"): Target {
  return {
    env,
    base: new URL(url),
    from: `--target ${env}`,
    token: { name: "$PROD_TOKEN", value: "write-token-1234" },
    readToken: null,
  };
}

function work(given: Given): Parameters<typeof promoteAll>[0] {
  return {
    targets: given.targets,
    pins: given.pins ?? [WANTED],
    commit: given.commit ?? { gitSha: undefined, mustMatch: false },
    clock: given.clock ?? new FakeClock(),
    exchange: {
      attemptTimeoutMs: 5_000,
      connection: () => ({}),
      // In the middle: every wait is exactly the interval.
      jitter: () => 0.5,
      stop: new AbortController().signal,
      ...given.exchange,
    },
  };
}

export function promoteLegs(
  given: Given,
  rules: Partial<PromotionRules> = {},
  note: PinNote = { gitSha: undefined, notes: undefined },
): Promise<Leg[]> {
  return promoteAll(work(given), note, { ...RULES, ...rules }, given.run ?? "https://ci.example/runs/1");
}

/** One promotion on a server with this plan. */
export async function promoteOn(
  plan: Plan,
  rules: Partial<PromotionRules> = {},
  clock: Clock = new FakeClock(),
): Promise<Leg> {
  await using server = await scriptedServer(plan);
  const [leg] = await promoteLegs({ targets: [target(server.url)], clock }, rules);
  if (leg === undefined) throw new Error("no leg");
  return leg;
}

export function verifyLegs(given: Given, rule: Partial<ReadBackRule> = {}): Promise<Leg[]> {
  return verifyAll(work(given), { ...READ_ONCE, ...rule });
}

/** A leg in one line: its outcome, its exit code, the code of its failure, and what was sent. */
export function summary(leg: Leg): string {
  const { outcome, failure, attempts } = leg;
  const code = failure === null ? "0" : `${failure.exitCode} ${failure.code}`;
  return `${outcome} ${code}: ${attempts.map(({ method }) => method).join(" ")}`;
}

/** The answer that never comes. */
export const LOST: Answer = { send: "nothing", then: "reset" };
export const OK: Answer = { body: JSON.stringify(row(NEW)) };

/** Listings with one row each, or with none. */
export function list(...digests: readonly (string | null)[]): readonly Step[] {
  return digests.map((digest) => (digest === null ? listing() : listing(row(digest))));
}
