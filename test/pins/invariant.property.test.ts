import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EXIT } from "../../src/base/exit-codes.ts";
import { exitOfLegs, type Leg } from "../../src/pins/leg.ts";
import type { WantedPin } from "../../src/pins/pin.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { pointsOf } from "../support/points.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { PROOF } from "./hostile-answers.ts";
import { hostilePlan } from "./hostile-plans.ts";
import { NEW, OLD } from "./rows.ts";
import {
  admitsOpen,
  holds,
  isHonest,
  overwritesNobody,
  proven,
  proves,
  type Asked,
} from "./invariant-judge.ts";
import { promoteLegs, RULES, target, verifyLegs } from "./run-legs.ts";

const FULL = process.env["WAYBILL_FULL"] !== undefined;
const LEGS = pointsOf("servers that answer anything at all, lose answers and let others write in between");
const PROGRAM_RUNS = pointsOf("the same, against the program");

const pin = fc
  .constantFrom("global", "global", "global", "eu")
  .map((region): WantedPin => ({ template: "codex", region, digest: NEW }));
const stable = fc.constantFrom(1, 1, 1, 2, 3);
const asked: fc.Arbitrary<Asked> = fc.record({
  seq: fc.constantFrom(undefined, undefined, 5),
  dryRun: fc.constantFrom(false, false, false, true),
  touch: fc.constantFrom(false, false, false, true),
  not: fc.constantFrom(false, false, true),
});

async function onServers<T>(
  plans: readonly Plan[],
  work: (servers: ScriptedServer[]) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const servers: ScriptedServer[] = [];
  for (const plan of plans) servers.push(stack.use(await scriptedServer(plan)));
  // Awaited here: the servers are gone when this function ends.
  return await work(servers);
}

// A property about exit 0 says nothing when exit 0 never happens.
const seen = { proven: 0, refused: 0, provenByProgram: 0, superseded: 0, closed: 0 };
afterAll(() => {
  expect(seen.proven).toBeGreaterThan(10);
  if (FULL) {
    expect(seen.superseded).toBeGreaterThan(10);
    expect(seen.closed).toBeGreaterThan(10);
  }
  expect(seen.refused).toBeGreaterThan(10);
  if (FULL) expect(seen.provenByProgram).toBeGreaterThan(10);
});

describe("exit 0 only when a whole listing with exactly one row, and in it the digest, was sent", () => {
  type Run = (servers: ScriptedServer[], wanted: WantedPin, stable: number, asked: Asked) => Promise<Leg[]>;
  const promote: Run = (servers, wanted, stable, { seq, dryRun, touch }) =>
    promoteLegs(
      {
        targets: servers.map(({ url }, index) => target(url, `t${index}`)),
        pins: [wanted],
        exchange: { attemptTimeoutMs: 250 },
      },
      {
        timeoutMs: 3_000,
        conflictBudgetMs: 2_000,
        retryIntervalMs: 1_000,
        readBack: { ...RULES.readBack, forMs: 2_000, stable },
        dryRun,
        touch,
      },
      { gitSha: undefined, notes: undefined, seq },
    );
  const verify: Run = (servers, wanted, stable, { not }) =>
    verifyLegs(
      {
        targets: servers.map(({ url }, index) => target(url, `t${index}`)),
        pins: [not ? { ...wanted, unwanted: true } : wanted],
        exchange: { attemptTimeoutMs: 250 },
      },
      { forMs: 2_000, limitMs: 4_000, stable },
    );

  test.each([
    ["promote", promote],
    ["verify", verify],
  ])(
    "%s",
    async (_name, run) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(hostilePlan, { minLength: 1, maxLength: 2 }),
          pin,
          stable,
          asked,
          async (plans, wanted, stable, asked) => {
            await onServers(plans, (servers) =>
              LEGS.try(async () => {
                const legs = await run(servers, wanted, stable, asked);
                const exit = exitOfLegs(legs);
                for (const [index, leg] of legs.entries()) {
                  const server = servers[index];
                  if (server === undefined) throw new Error("no server");
                  if (leg.failure === null) expect(holds(leg, server, stable, asked)).toBe(true);
                  else expect(leg.failure.exitCode).toBeGreaterThan(EXIT.usage);
                  expect(isHonest(leg, server)).toBe(true);
                  expect([leg.failure?.code, admitsOpen(leg, server)]).toEqual([leg.failure?.code, true]);
                  expect(overwritesNobody(server, wanted)).toBe(true);
                  expect(server.attempts(`GET ${PROOF}`)).toBe(0);
                  if (asked.dryRun)
                    expect(server.requests.every(({ method }) => method === "GET")).toBe(true);
                  if (leg.outcome === "superseded") seen.superseded++;
                  if (leg.raceWindow === "closed" && leg.failure === null) seen.closed++;
                }
                if (exit === EXIT.ok) {
                  expect(legs).toHaveLength(servers.length);
                  expect(legs.every((leg) => leg.after !== null || leg.outcome === "superseded")).toBe(true);
                  seen.proven++;
                } else seen.refused++;
              }),
            );
          },
        ),
        { numRuns: FULL ? 5_000 : 300, endOnFailure: true },
      );
    },
    FULL ? 1_800_000 : 60_000,
  );

  test.each([["promote"], ["verify pin"]])(
    "the program: %s",
    async (command) => {
      await fc.assert(
        fc.asyncProperty(hostilePlan, stable, async (plan, stable) => {
          await onServers([plan], ([server]) =>
            PROGRAM_RUNS.try(async () => {
              if (server === undefined) throw new Error("no server");
              const wanted: WantedPin = { template: "codex", region: "global", digest: NEW };
              const finished = await runWaybill(
                [
                  ...command.split(" "),
                  ...[
                    "--template",
                    "codex",
                    "--digest",
                    NEW,
                    "--target",
                    `t=${server.url}`,
                    "--stable",
                    `${stable}`,
                  ],
                  ...[
                    "--timeout",
                    "300ms",
                    "--attempt-timeout",
                    "300ms",
                    "--retry-interval",
                    "20ms",
                    "--for",
                    "60ms",
                  ],
                  ...(command === "promote" ? ["--conflict-budget", "60ms"] : []),
                  ...["--allow-insecure-http", "--json"],
                ],
                { env: { WAYBILL_TOKEN_T: "write-token-1234" } },
              );
              const document = jsonOf(finished);
              expect(document["exit_code"]).toBe(finished.code);
              expect(document["ok"]).toBe(finished.code === 0);
              expect([...Object.values(EXIT)]).toContain(finished.code as never);
              expect([1, 2]).not.toContain(finished.code);
              if (finished.code !== 0) return;
              expect(proven(server, wanted, stable)).toBe(true);
              seen.provenByProgram++;
            }),
          );
        }),
        { numRuns: FULL ? 500 : 25, endOnFailure: true },
      );
    },
    FULL ? 1_800_000 : 60_000,
  );
});

describe("the judge", () => {
  const wanted: WantedPin = { template: "codex", region: "global", digest: NEW };
  const row = { template_name: "codex", region: "global", image_digest: NEW };
  const rows: [string, string, boolean][] = [
    ["one row", JSON.stringify({ pins: [row] }), true],
    ["a bare list", JSON.stringify([row]), true],
    ["no rows", JSON.stringify({ pins: [] }), false],
    ["two rows", JSON.stringify({ pins: [row, row] }), false],
    ["another region", JSON.stringify({ pins: [{ ...row, region: "eu" }] }), false],
    ["a name twice", `{"pins":[{"image_digest":"x",${JSON.stringify(row).slice(1)}]}`, false],
    ["a cut", JSON.stringify({ pins: [row] }).slice(0, -1), false],
  ];
  test.each(rows)("%s", (_what, text, wants) => {
    expect(proves(new TextEncoder().encode(text), wanted)).toBe(wants);
  });

  test("any digest but one", () => {
    const bytes = (found: unknown): Uint8Array =>
      new TextEncoder().encode(JSON.stringify([{ ...row, image_digest: found }]));
    expect(proves(bytes(OLD), { ...wanted, unwanted: true })).toBe(true);
    for (const found of [NEW, "latest", null])
      expect(proves(bytes(found), { ...wanted, unwanted: true })).toBe(false);
  });
});
