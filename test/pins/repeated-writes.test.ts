import { describe, expect, test } from "bun:test";
import type { PinNote } from "../../src/pins/pin.ts";
import type { PromotionRules } from "../../src/pins/promotion-rules.ts";
import type { Answer, Plan } from "../support/scripted-server.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { FakeClock } from "./fake-clock.ts";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "./rows.ts";
import { list, LOST, OK, promoteLegs, promoteOn, summary, target } from "./run-legs.ts";

const CONFLICT: Answer = { status: 409, body: '{"error":"retry after the rollout completes"}' };

describe("a conflict", () => {
  test("that passes is waited out", async () => {
    const state = new Board(OLD);
    const clock = new FakeClock();
    const plan = { [LIST]: state.list, [PROMOTE]: [CONFLICT, CONFLICT, state.promote] };
    expect(summary(await promoteOn(plan, {}, clock))).toBe("landed 0: GET POST GET POST GET POST GET");
    expect(clock.slept).toEqual([5_000, 5_000]);
  });

  test("has a budget of its own, which the failure names", async () => {
    const clock = new FakeClock();
    const plan = { [LIST]: list(OLD), [PROMOTE]: CONFLICT };
    const leg = await promoteOn(plan, { timeoutMs: 5_000, conflictBudgetMs: 30_000 }, clock);
    expect(leg.failure?.exitCode).toBe(11);
    expect(leg.failure?.message).toBe(
      "the control plane answered 409: another change is under way, and still after 30 s",
    );
    expect(leg.failure?.serverText).toBe('{"error":"retry after the rollout completes"}');
    expect(clock.past).toBe(30_000);
    expect(leg.attempts.filter(({ method }) => method === "POST")).toHaveLength(7);
  });

  test.each([
    [0, 4_000],
    [0.25, 4_500],
    [1, 6_000],
  ])("is waited for a fifth less or more, by a die that shows %d", async (thrown, wanted) => {
    const state = new Board(OLD);
    const clock = new FakeClock();
    await using server = await scriptedServer({ [LIST]: state.list, [PROMOTE]: [CONFLICT, state.promote] });
    await promoteLegs({ targets: [target(server.url)], clock, exchange: { jitter: () => thrown } });
    expect(clock.slept.map(Math.round)).toEqual([wanted]);
  });

  // One at 0 s, others after 5 s of waiting and 1 s of looking each.
  test.each([
    [10_000, 2],
    [16_000, 3],
    [17_000, 4],
  ])("of %d ms counts the looks between its writes", async (conflictBudgetMs, writes) => {
    const clock = new FakeClock();
    const never = new AbortController().signal;
    const slow = (): Answer => {
      void clock.sleep(1_000, never);
      return listing(row(OLD));
    };
    const leg = await promoteOn({ [LIST]: slow, [PROMOTE]: CONFLICT }, { conflictBudgetMs }, clock);
    expect(leg.failure?.code).toBe("conflict_persisted");
    expect(leg.attempts.filter(({ method }) => method === "POST")).toHaveLength(writes);
  });

  test("that no waiting cures is not waited for", async () => {
    const plan = { [LIST]: list(OLD), [PROMOTE]: { status: 409, body: '{"error":"no","code":"vetoed"}' } };
    expect(summary(await promoteOn(plan))).toBe("failed 5 policy_denied: GET POST");
  });

  test("has one budget, however often something else comes between", async () => {
    const clock = new FakeClock();
    const plan = {
      [LIST]: list(OLD),
      [PROMOTE]: Array<Answer[]>(20)
        .fill([CONFLICT, CONFLICT, { status: 429 }])
        .flat(),
    };
    const leg = await promoteOn(plan, { timeoutMs: 600_000, conflictBudgetMs: 30_000 }, clock);
    expect(leg.failure?.code).toBe("conflict_persisted");
    // Two of five seconds in each turn, the third turn's third is the one too many; a 429 of five seconds after each.
    expect(leg.attempts.filter(({ result }) => result === "conflict_persisted")).toHaveLength(7);
  });

  test("does not use up the time of everything else", async () => {
    const busy = { status: 429 };
    const plan = { [LIST]: list(OLD), [PROMOTE]: [...Array<Answer>(6).fill(CONFLICT), busy] };
    const leg = await promoteOn(plan, { timeoutMs: 10_000, conflictBudgetMs: 60_000 });
    expect(leg.failure?.message).toBe("the control plane answered 429, and still after 10 s");
    // Six conflicts of 5 s each, then 429 at 0, 5 and 10 s of the ceiling.
    expect(leg.attempts.filter(({ result }) => result === "rate_limited")).toHaveLength(3);
  });

  test("a refusal at the end of a budget is told as the refusal that it is", async () => {
    const clock = new FakeClock();
    const plan = {
      [LIST]: list(OLD),
      [PROMOTE]: [...Array<Answer>(3).fill({ status: 429 }), { status: 400 }],
    };
    const leg = await promoteOn(plan, { timeoutMs: 15_000 }, clock);
    expect(leg.failure?.message).toBe("the control plane rejected the promotion (400)");
  });
});

describe("a write without a condition that is sent again", () => {
  const AGAIN = row(OLD, { promoted_at: "2026-08-11T04:00:00Z" });
  const TOUCHED = row(NEW, { promoted_at: "2026-08-11T04:00:00Z" });
  const none = { gitSha: undefined, notes: undefined };
  const listed = (...rows: readonly (object | null)[]): readonly Answer[] =>
    rows.map((one) => (one === null ? listing() : listing(one)));
  const rows: [string, Plan, Partial<PromotionRules>, Partial<PinNote>, string][] = [
    [
      "not over what somebody else pinned while a conflict was waited out",
      { [LIST]: list(OLD, FOREIGN), [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET GET",
    ],
    [
      "not over it after many conflicts either",
      { [LIST]: list(OLD, OLD, OLD, FOREIGN), [PROMOTE]: [CONFLICT, CONFLICT, CONFLICT, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET POST GET POST GET GET",
    ],
    [
      "not over it after 429",
      { [LIST]: list(OLD, FOREIGN), [PROMOTE]: [{ status: 429 }, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET GET",
    ],
    [
      "not over the same digest that somebody put there anew",
      { [LIST]: listed(row(OLD), AGAIN), [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET GET",
    ],
    [
      "not where somebody pinned first",
      { [LIST]: list(null, FOREIGN), [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET GET",
    ],
    [
      "not where somebody took the pin away",
      { [LIST]: list(OLD, null), [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "failed 11 previous_differs: GET POST GET GET",
    ],
    [
      "not where the digest is there by now",
      { [LIST]: list(OLD, NEW), [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "already 0: GET POST GET GET",
    ],
    [
      "not over a newer build",
      { [LIST]: listed(row(OLD, { seq: 4 }), row(FOREIGN, { seq: 9 })), [PROMOTE]: [CONFLICT, OK] },
      {},
      { seq: 5 },
      "superseded 0: GET POST GET GET",
    ],
    [
      "not over what cannot be read",
      { [LIST]: [...list(OLD), { status: 401 }], [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "failed 4 unauthorized: GET POST GET",
    ],
    [
      "not over what can be read no more",
      { [LIST]: [...list(OLD), LOST], [PROMOTE]: [CONFLICT, OK] },
      { timeoutMs: 10_000 },
      {},
      "failed 12 connection_lost: GET POST GET GET GET",
    ],
    [
      "once it can be read again",
      { [LIST]: [...list(OLD), LOST, { status: 503 }, ...list(OLD, NEW)], [PROMOTE]: [CONFLICT, OK] },
      {},
      {},
      "landed 0: GET POST GET GET GET POST GET",
    ],
    [
      "to touch what nobody else touched",
      { [LIST]: list(NEW), [PROMOTE]: [CONFLICT, OK] },
      { touch: true },
      {},
      "landed 0: GET POST GET POST GET",
    ],
    [
      "to touch what a lost write did not",
      { [LIST]: list(NEW), [PROMOTE]: [LOST, OK] },
      { touch: true },
      {},
      "landed 0: GET POST GET GET POST GET",
    ],
    [
      "not to touch what a lost write touched",
      { [LIST]: listed(row(NEW), TOUCHED), [PROMOTE]: [LOST, OK] },
      { touch: true },
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "not to touch what somebody else touched",
      { [LIST]: listed(row(NEW), TOUCHED), [PROMOTE]: [CONFLICT, OK] },
      { touch: true },
      {},
      "already 0: GET POST GET GET GET",
    ],
  ];
  test.each(rows)("%s", async (_what, plan, rules, note, wanted) => {
    await using server = await scriptedServer(plan);
    const [leg] = await promoteLegs({ targets: [target(server.url)] }, rules, { ...none, ...note });
    expect(leg === undefined ? "" : summary(leg)).toBe(wanted);
    if (leg?.outcome.startsWith("landed") === true) return;
    // What was refused with a 409 wrote nothing, and so had no race to lose.
    expect(leg?.raceWindow).toBeNull();
  });

  test("says who stood in the way, and what was wanted", async () => {
    const leg = await promoteOn({ [LIST]: list(OLD, FOREIGN), [PROMOTE]: [CONFLICT, OK] });
    expect(leg.failure?.message).toBe(
      `somebody else changed the pin while this run waited: codex is pinned to ${FOREIGN} now; wanted ${NEW}`,
    );
    expect(leg.before?.digest).toBe(OLD);
  });

  test("blindly, where the caller wants no proof and the token may not read", async () => {
    const plan = { [LIST]: { status: 401 }, [PROMOTE]: [CONFLICT, OK] };
    expect(summary(await promoteOn(plan, { unverified: true }))).toBe(
      "written_unverified 14 written_unverified: GET POST POST",
    );
    await using server = await scriptedServer(plan);
    const compared = { ...none, seq: 5 };
    const [leg] = await promoteLegs({ targets: [target(server.url)] }, { unverified: true }, compared);
    expect(leg === undefined ? "" : summary(leg)).toBe("failed 4 unauthorized: GET");
  });

  test("blindly, only where the token may not read, and never told as accepted when its answer was lost", async () => {
    const unread = { [LIST]: { status: 503 }, [PROMOTE]: OK };
    expect(summary(await promoteOn(unread, { unverified: true, timeoutMs: 1_000 }))).toBe(
      "failed 13 server_failed: GET",
    );
    const lost = await promoteOn({ [LIST]: list(OLD, FOREIGN), [PROMOTE]: LOST }, { unverified: true });
    expect(summary(lost)).toStartWith("outcome_unknown 14 outcome_unknown: GET POST GET");
    const landed = await promoteOn(
      { [LIST]: list(OLD, FOREIGN, NEW), [PROMOTE]: LOST },
      { unverified: true },
    );
    expect(summary(landed)).toBe("landed_after_lost_response 0: GET POST GET GET");
  });

  test("is looked after for as long as the leg may take, however long the conflicts were", async () => {
    const plan = {
      [LIST]: [...list(...Array<string>(7).fill(OLD)), LOST, ...list(OLD, OLD, NEW)],
      [PROMOTE]: [...Array<Answer>(6).fill(CONFLICT), LOST, OK],
    };
    const leg = await promoteOn(plan, { timeoutMs: 10_000 });
    expect(summary(leg)).toEndWith("GET POST GET GET GET POST GET");
    expect(leg.outcome).toBe("landed");
  });
});
