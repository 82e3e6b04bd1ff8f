import { describe, expect, test } from "bun:test";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, QUICK, runCase, type LegShown } from "../pins/case-run.ts";
import { VersionedBoard } from "../pins/versioned-board.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill } from "../support/binary.ts";
import { scriptedServer, type Answer, type Plan, type Step } from "../support/scripted-server.ts";

const LOST: Answer = { send: "nothing", then: "reset" };
const CONFLICT: Answer = { status: 409, body: '{"error":"retry after the rollout completes"}' };
const TOKENS = { WAYBILL_TOKEN_STAGING: "staging-token-1", WAYBILL_TOKEN_PROD: "prod-token-12" };
const OK: Answer = { body: JSON.stringify(row(NEW)) };

function asksToWait(seconds: number): Answer {
  return { status: 503, headers: { "retry-after": String(seconds) } };
}

describe("a listing that cannot be read before the write", () => {
  test("is read again when the server said, and the document says how long that was", async () => {
    const board = new Board(OLD);
    const plan = { [LIST]: [asksToWait(1), board.list], [PROMOTE]: board.promote };
    const run = await runCase(PROMOTE_WORDS, plan, ["--timeout", "20s"]);
    expect(run.told).toBe("landed 0: GET GET POST GET");
    expect(run.leg.attempts.map(({ retry_in_ms }) => retry_in_ms ?? 0)).toEqual([1_000, 0, 0, 0]);
  });

  test("is read once more at the end of the budget, however long the server asks to wait", async () => {
    const run = await runCase(PROMOTE_WORDS, { [LIST]: asksToWait(3_600), [PROMOTE]: OK });
    expect(run.told).toBe("failed 13 server_failed: GET GET");
    // All that was left of 500 ms.
    expect(run.leg.attempts[0]?.retry_in_ms).toBeGreaterThan(5);
    expect(run.leg.attempts[0]?.retry_in_ms).toBeLessThanOrEqual(500);
  });
});

describe("a signal ends", () => {
  /** The first leg, of staging, of a run that gets a signal once prod sees what `on` says. */
  async function signalled(
    words: readonly string[],
    plans: { readonly staging: Plan; readonly prod: (seen: () => void) => Plan },
    signal: NodeJS.Signals,
  ): Promise<{ leg: LegShown; sent: string[] }> {
    const seen = Promise.withResolvers<void>();
    await using staging = await scriptedServer(plans.staging);
    await using prod = await scriptedServer(plans.prod(seen.resolve));
    const targets = ["--target", `staging=${staging.url}`, "--target", `prod=${prod.url}`];
    const pin = ["--template", "codex", "--digest", NEW, "--allow-insecure-http", "--json"];
    const child = Bun.spawn([...PROGRAM, ...words, ...pin, ...targets, "--timeout", "2h"], {
      cwd: "/",
      env: { ...CLEAN_ENVIRONMENT, ...TOKENS },
      stdout: "pipe",
      stderr: "ignore",
    });
    await seen.promise;
    child.kill(signal);
    const { legs } = JSON.parse(await child.stdout.text());
    await child.exited;
    return { leg: legs[0], sent: staging.requests.map(({ method }) => method) };
  }
  const rows = [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const;

  test.each(rows)("the wait for a listing: %s", async (signal, code) => {
    const prod = (seen: () => void): Plan => ({
      [LIST]: listing(row(OLD)),
      // All legs were looked at before the first write: by now the other one waits.
      [PROMOTE]: () => (seen(), OK),
    });
    const staging = { [LIST]: asksToWait(3_600), [PROMOTE]: OK };
    const { leg, sent } = await signalled(["promote"], { staging, prod }, signal);
    expect(leg).toMatchObject({ env: "staging", outcome: "failed", exit_code: code });
    expect(leg.attempts).toMatchObject([{ method: "GET", status: 503, retry_in_ms: 3_600_000 }]);
    expect(sent).toEqual(["GET"]);
  });

  test.each(rows)("the wait for a conflict: %s", async (signal, code) => {
    const conflict = (seconds: number): Answer => ({ ...CONFLICT, headers: { "retry-after": `${seconds}` } });
    const staging = { [LIST]: listing(row(OLD)), [PROMOTE]: conflict(3_600) };
    const prod = (seen: () => void): Plan => ({
      // A second after its conflict: the other one has had its own by then.
      [LIST]: [listing(row(OLD)), () => (seen(), listing(row(OLD)))],
      [PROMOTE]: [conflict(1), OK],
    });
    const words = ["promote", "--conflict-budget", "2h"];
    const { leg, sent } = await signalled(words, { staging, prod }, signal);
    expect(leg).toMatchObject({ env: "staging", outcome: "failed", exit_code: code });
    expect(leg.attempts.at(-1)).toMatchObject({ method: "POST", status: 409, retry_in_ms: 3_600_000 });
    expect(sent).toEqual(["GET", "POST"]);
  });

  test.each(rows)("the wait between two reads: %s", async (signal, code) => {
    const staging = { [LIST]: asksToWait(3_600) };
    const prod = (seen: () => void): Plan => ({
      [LIST]: [asksToWait(1), () => (seen(), listing(row(OLD)))],
    });
    const words = ["verify", "pin", "--for", "2h"];
    const { leg, sent } = await signalled(words, { staging, prod }, signal);
    expect(leg).toMatchObject({ env: "staging", outcome: "failed", exit_code: code });
    expect(sent).toEqual(["GET"]);
  });
});

test("what a policy refuses stops a write also where nothing could be read at first, and later could", async () => {
  const frozen = new VersionedBoard(OLD);
  frozen.stops = [{ kind: "frozen", reason: "a holiday", by: "ops" }];
  const board = new Board(OLD);
  await using staging = await scriptedServer(frozen.plan());
  await using prod = await scriptedServer({
    [LIST]: [{ status: 503 }, board.list],
    [PROMOTE]: board.promote,
  });
  const targets = ["--target", `staging=${staging.url}`, "--target", `prod=${prod.url}`];
  const pin = ["--template", "codex", "--digest", NEW, "--allow-insecure-http", "--json"];
  const run = await runWaybill(["promote", ...pin, ...targets, ...QUICK], { env: TOKENS });
  expect(jsonOf(run)).toMatchObject({
    legs: [
      { env: "staging", exit_code: 5, error: { code: "policy_denied" } },
      { env: "prod", exit_code: 13, error: { code: "server_failed" } },
    ],
  });
  expect(prod.requests.map(({ method }) => method)).toEqual(["GET"]);
});

describe("a write without a condition is not repeated", () => {
  const listed = (...digests: readonly (string | null)[]): Step[] =>
    digests.map((digest) => (digest === null ? listing() : listing(row(digest))));
  const rows: [string, Plan, string, number][] = [
    [
      "over what somebody else pinned while a conflict passed",
      { [LIST]: listed(OLD, FOREIGN), [PROMOTE]: [CONFLICT, OK] },
      "failed 11 previous_differs: GET POST GET GET",
      1,
    ],
    [
      "over what somebody else pinned during a 429",
      { [LIST]: listed(OLD, FOREIGN), [PROMOTE]: [{ status: 429 }, OK] },
      "failed 11 previous_differs: GET POST GET GET",
      1,
    ],
    [
      "where somebody pinned first",
      { [LIST]: listed(null, FOREIGN), [PROMOTE]: [CONFLICT, OK] },
      "failed 11 previous_differs: GET POST GET GET",
      1,
    ],
    [
      "where somebody took the pin away",
      { [LIST]: listed(OLD, null), [PROMOTE]: [CONFLICT, OK] },
      "failed 11 previous_differs: GET POST GET GET",
      1,
    ],
    [
      "over what cannot be read any more",
      { [LIST]: [...listed(OLD), { status: 401 }], [PROMOTE]: [CONFLICT, OK] },
      "failed 4 unauthorized: GET POST GET",
      1,
    ],
    [
      "before it can be read again",
      {
        [LIST]: [...listed(OLD), LOST, { status: 503 }, ...listed(OLD, NEW)],
        [PROMOTE]: [CONFLICT, OK],
      },
      "landed 0: GET POST GET GET GET POST GET",
      2,
    ],
    [
      "where the digest is there by then",
      { [LIST]: listed(OLD, NEW), [PROMOTE]: [CONFLICT, OK] },
      "already 0: GET POST GET GET",
      1,
    ],
    [
      "but over what it was, each time",
      { [LIST]: listed(OLD, OLD, OLD, NEW), [PROMOTE]: [CONFLICT, { status: 425 }, OK] },
      "landed 0: GET POST GET POST GET POST GET",
      3,
    ],
  ];
  test.each(rows)("%s", async (_what, plan, told, writes) => {
    const run = await runCase(PROMOTE_WORDS, plan, ["--timeout", "20s", "--conflict-budget", "20s"]);
    expect(run.told).toBe(told);
    expect(run.server.attempts(PROMOTE)).toBe(writes);
  });
});
