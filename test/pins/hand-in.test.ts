import { describe, expect, test } from "bun:test";
import { handIn, type HandedIn } from "../../src/pins/hand-in.ts";
import { scriptedServer, type Answer, type Plan } from "../support/scripted-server.ts";
import { envelopeOf, statement } from "../trust/attestations.ts";
import { FakeClock } from "./fake-clock.ts";
import { target } from "./run-legs.ts";

const ASK = "GET /v1/policy";
const KEEP = "POST /v1/attestations";
const POLICY: Answer = { body: '{"policy":{"name":"it","version":3}}' };

/** What became of two statements at a control plane that answers so, in one line, and how often it was asked. */
async function handed(plan: Plan): Promise<{ told: string; asked: number; kept: number }> {
  await using server = await scriptedServer(plan);
  const exchange = {
    attemptTimeoutMs: 5_000,
    connection: () => ({}),
    jitter: () => 0.5,
    stop: new AbortController().signal,
  };
  const tools = { exchange, clock: new FakeClock(), timeoutMs: 10_000, intervalMs: 5_000 };
  const results = await handIn(
    [target(server.url)],
    [envelopeOf(statement()), envelopeOf(statement())],
    tools,
  );
  const told = results.map(
    ({ env, count, failure }: HandedIn) => `${env} ${count} ${failure?.message ?? ""}`,
  );
  return { told: told.join("; "), asked: server.attempts(ASK), kept: server.attempts(KEEP) };
}

describe("evidence for a control plane", () => {
  test("that holds promotions against a policy is all given", async () => {
    const plan = { [ASK]: POLICY, [KEEP]: [{}, { status: 201 }] };
    expect(await handed(plan)).toEqual({ told: "prod 2 ", asked: 1, kept: 2 });
  });

  const without: [string, Answer][] = [
    ["has no such route", { status: 404 }],
    ["does not say so", { body: '{"policy":null}' }],
    ["says something else there", { body: "<html>" }],
    ["does not let us ask", { status: 403 }],
  ];
  test.each(without)("that %s is sent nothing", async (_what, answer) => {
    expect(await handed({ [ASK]: answer })).toEqual({ told: "", asked: 1, kept: 0 });
  });

  const later: [string, Answer][] = [
    ["503", { status: 503 }],
    ["429", { status: 429 }],
    ["425", { status: 425 }],
    ["408", { status: 408 }],
    ["what a cache remembers", { ...POLICY, headers: { age: "60" } }],
    ["nothing", { send: "nothing", then: "reset" }],
  ];
  test.each(later)(
    "that answers %s at first is asked again, for the policy and for each statement",
    async (_what, answer) => {
      const isCache = answer.headers !== undefined;
      const plan = { [ASK]: [answer, POLICY], [KEEP]: [isCache ? {} : answer, {}] };
      expect(await handed(plan)).toEqual({ told: "prod 2 ", asked: 2, kept: isCache ? 2 : 3 });
    },
  );

  test("that does not keep one is told, with what was kept before it", async () => {
    const plan = { [ASK]: POLICY, [KEEP]: [{}, { status: 400 }] };
    expect((await handed(plan)).told).toBe("prod 1 the control plane answered 400 to a statement");
    const refused = { [ASK]: POLICY, [KEEP]: { status: 401 } };
    expect((await handed(refused)).told).toBe(
      "prod 0 the route of statements answered 401 with the token from $PROD_TOKEN",
    );
  });

  test("that fails for ever is given up", async () => {
    expect(await handed({ [ASK]: { status: 500 } })).toEqual({
      told: "prod 0 the route of the policy answered 500",
      asked: 3,
      kept: 0,
    });
  });
});
