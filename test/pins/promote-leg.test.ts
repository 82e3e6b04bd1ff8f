import { describe, expect, test } from "bun:test";
import type { Leg } from "../../src/pins/leg.ts";
import { scriptedServer, type Answer, type Plan, type Step } from "../support/scripted-server.ts";
import { FakeClock } from "./fake-clock.ts";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "./rows.ts";
import {
  list,
  LOST,
  OK,
  promoteLegs,
  promoteOn,
  READ_ONCE,
  summary,
  target,
  verifyLegs,
} from "./run-legs.ts";

const CONFLICT: Answer = { status: 409, body: '{"error":"retry after the rollout completes"}' };

describe("the ceiling", () => {
  test("also ends a row of equal reads", async () => {
    const clock = new FakeClock();
    const readBack = { ...READ_ONCE, stable: 999 };
    const leg = await promoteOn({ [LIST]: list(NEW) }, { timeoutMs: 10_000, readBack }, clock);
    expect(summary(leg)).toStartWith("mismatch 8 pin_mismatch: GET");
    expect(leg.failure?.message).toContain("reads in a row; wanted 999");
    expect(clock.past).toBe(10_000);
  });

  test("reached with the digest there does not blame somebody else", async () => {
    const readBack = { ...READ_ONCE, stable: 999 };
    const leg = await promoteOn({ [LIST]: list(OLD, NEW), [PROMOTE]: OK }, { timeoutMs: 10_000, readBack });
    expect(summary(leg)).toStartWith("mismatch 8 pin_mismatch: GET POST GET");
  });

  test("does not count what was waited for a conflict", async () => {
    // One read before, one before each of four repetitions, and nine of a replica that lags.
    const lag = list(...Array<string>(1 + 4 + 9).fill(OLD), NEW);
    const plan = { [LIST]: lag, [PROMOTE]: [...Array<Answer>(4).fill(CONFLICT), OK] };
    const readBack = { ...READ_ONCE, forMs: 10_000 };
    expect(summary(await promoteOn(plan, { timeoutMs: 20_000, readBack }))).toStartWith("landed 0: ");
  });

  test("leaves a sent write its read-back", async () => {
    const clock = new FakeClock();
    const plan = { [LIST]: [...Array<Answer>(4).fill(LOST), ...list(OLD, OLD, OLD, NEW)], [PROMOTE]: OK };
    expect(summary(await promoteOn(plan, {}, clock))).toStartWith("landed 0: ");
  });
});

describe("the request", () => {
  test("of a promotion", async () => {
    const state = new Board(OLD);
    await using server = await scriptedServer({ [LIST]: state.list, [PROMOTE]: state.promote });
    const note = { gitSha: "0123abc", notes: 'from "the" test' };
    await promoteLegs({ targets: [target(server.url)] }, {}, note);
    const post = server.requests.find(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "")).toEqual({
      template_name: "codex",
      image_digest: NEW,
      git_sha: "0123abc",
      notes: 'from "the" test',
    });
    expect(post?.headers).toMatchObject({
      authorization: "Bearer write-token-1234",
      "content-type": "application/json",
      accept: "application/json",
      host: `127.0.0.1:${server.port}`,
    });
    expect(post?.headers["user-agent"]).toMatch(/^waybill\/\d+\.\d+\.\d+/u);
    for (const get of server.requests.filter(({ method }) => method === "GET")) {
      expect(get).toMatchObject({ path: "/cp/admin/runtime-image", body: "" });
      expect(get.headers).toMatchObject({
        authorization: "Bearer write-token-1234",
        accept: "application/json",
      });
    }
  });

  test("to a server without versions names nothing that only ours knows", async () => {
    await using server = await scriptedServer({ [LIST]: list(OLD, NEW), [PROMOTE]: OK });
    const force = { reason: "7 is broken", rollback: true, breakGlass: true };
    await promoteLegs(
      { targets: [target(server.url)] },
      {},
      { gitSha: undefined, notes: undefined, seq: 7, force },
    );
    const post = server.requests.find(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "")).toEqual({ template_name: "codex", image_digest: NEW });
  });

  test("without a note names no more than the pin", async () => {
    const state = new Board(OLD);
    await using server = await scriptedServer({ [LIST]: state.list, [PROMOTE]: state.promote });
    await promoteLegs({ targets: [target(server.url)] });
    const post = server.requests.find(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "")).toEqual({ template_name: "codex", image_digest: NEW });
  });

  test("names the region when it is not the global one", async () => {
    await using server = await scriptedServer({
      [LIST]: [listing(row(OLD), row(OLD, { region: "eu" })), listing(row(OLD), row(NEW, { region: "eu" }))],
      [PROMOTE]: OK_IN_EU,
    });
    const pins = [{ template: "codex", region: "eu", digest: NEW }];
    const [leg] = await promoteLegs({ targets: [target(server.url)], pins });
    expect(leg?.outcome).toBe("landed");
    const post = server.requests.find(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "")).toEqual({ template_name: "codex", image_digest: NEW, region: "eu" });
  });

  test("reads with the read token and writes with the other", async () => {
    const state = new Board(OLD);
    await using server = await scriptedServer({ [LIST]: state.list, [PROMOTE]: state.promote });
    const both = { ...target(server.url), readToken: { name: "$READ", value: "read-token-5678" } };
    const [leg] = await promoteLegs({ targets: [both] });
    expect(leg?.outcome).toBe("landed");
    expect(server.requests.map(({ method, headers }) => `${method} ${headers["authorization"]}`)).toEqual([
      "GET Bearer read-token-5678",
      "POST Bearer write-token-1234",
      "GET Bearer read-token-5678",
    ]);
  });
});

const OK_IN_EU: Answer = { body: JSON.stringify(row(NEW, { region: "eu" })) };

describe("a refused credential", () => {
  test.each([401, 403])("%i names where the token came from, and not the token", async (status) => {
    const leg = await promoteOn({ [LIST]: list(OLD), [PROMOTE]: { status } });
    expect(leg.failure?.exitCode).toBe(4);
    expect(leg.failure?.message).toContain("$PROD_TOKEN");
    expect(JSON.stringify(leg.failure?.toDocument())).not.toContain("write-token-1234");
  });

  test("of a read names the read token", async () => {
    await using server = await scriptedServer({ [LIST]: { status: 401 } });
    const both = { ...target(server.url), readToken: { name: "$READ", value: "read-token-5678" } };
    const [leg] = await promoteLegs({ targets: [both] });
    expect(leg?.failure?.message).toContain("$READ");
    expect(leg?.failure?.hint).toContain("read token");
  });
});

describe("environments", () => {
  test("every pin goes to every one of them", async () => {
    const rows = new Map<string, string>();
    const plan: Plan = {
      [LIST]: () => listing(...[...rows].map(([template_name, digest]) => row(digest, { template_name }))),
      [PROMOTE]: ({ body }) => {
        const wanted = JSON.parse(body) as { template_name: string; image_digest: string };
        rows.set(wanted.template_name, wanted.image_digest);
        return {};
      },
    };
    await using one = await scriptedServer(plan);
    await using two = await scriptedServer(plan);
    const pins = ["codex", "hermes"].map((template) => ({ template, region: "global", digest: NEW }));
    const legs = await promoteLegs({ targets: [target(one.url, "one"), target(two.url, "two")], pins });
    expect(legs.map(({ target: { env }, wanted }) => `${env} ${wanted.template}`)).toEqual([
      "one codex",
      "one hermes",
      "two codex",
      "two hermes",
    ]);
    expect(legs.every(({ failure }) => failure === null)).toBe(true);
  });
});

describe("a signal", () => {
  async function stopped(plan: (stop: AbortController) => Plan): Promise<Leg> {
    const stop = new AbortController();
    await using server = await scriptedServer(plan(stop));
    const [leg] = await promoteLegs({ targets: [target(server.url)], exchange: { stop: stop.signal } });
    if (leg === undefined) throw new Error("no leg");
    return leg;
  }
  /** The signal comes while this request waits for its answer. */
  const signalled =
    (stop: AbortController, answer: Answer): Step =>
    () => {
      stop.abort("SIGTERM");
      return answer;
    };
  const STALL: Answer = { send: "nothing", then: "stall" };

  test("in the first read: nothing was sent", async () => {
    const leg = await stopped((stop) => ({ [LIST]: signalled(stop, STALL) }));
    expect(summary(leg)).toBe("failed 143 terminated: GET");
  });

  test("in the write: its outcome is unknown", async () => {
    const leg = await stopped((stop) => ({ [LIST]: list(OLD), [PROMOTE]: signalled(stop, STALL) }));
    expect(summary(leg)).toStartWith("outcome_unknown 14 outcome_unknown: GET POST");
    expect(leg.failure?.hint).toContain("verify pin");
  });

  test("while a conflict is waited out: nothing was written", async () => {
    const stop = new AbortController();
    await using server = await scriptedServer({ [LIST]: list(OLD), [PROMOTE]: CONFLICT });
    const clock = new FakeClock();
    const sleep = clock.sleep;
    const interrupted = {
      now: clock.now,
      sleep: async (ms: number, signal: AbortSignal) => {
        stop.abort("SIGINT");
        await sleep(ms, signal);
      },
    };
    const [leg] = await promoteLegs({
      targets: [target(server.url)],
      clock: interrupted,
      exchange: { stop: stop.signal },
    });
    expect(leg === undefined ? "" : summary(leg)).toBe("failed 130 interrupted: GET POST");
    expect(server.attempts(PROMOTE)).toBe(1);
  });

  test("while a lost write waits to be sent again: its outcome is unknown", async () => {
    const stop = new AbortController();
    await using server = await scriptedServer({ [LIST]: list(OLD), [PROMOTE]: LOST });
    const clock = { now: () => 0, sleep: async () => stop.abort("SIGTERM") };
    const given = { targets: [target(server.url)], clock, exchange: { stop: stop.signal } };
    const [leg] = await promoteLegs(given);
    expect(leg === undefined ? "" : summary(leg)).toBe("outcome_unknown 14 outcome_unknown: GET POST GET");
    expect(server.attempts(PROMOTE)).toBe(1);
  });

  test("between two reads: no more are sent", async () => {
    const stop = new AbortController();
    await using server = await scriptedServer({ [LIST]: list(OLD) });
    const clock = {
      now: () => 0,
      sleep: async () => stop.abort("SIGTERM"),
    };
    const given = { targets: [target(server.url)], clock, exchange: { stop: stop.signal } };
    const [leg] = await verifyLegs(given, { forMs: 60_000 });
    expect(leg === undefined ? "" : summary(leg)).toBe("failed 143 terminated: GET");
  });

  test("in the read-back of a write that was accepted", async () => {
    const leg = await stopped((stop) => ({
      [LIST]: [...list(OLD), signalled(stop, STALL)],
      [PROMOTE]: OK,
    }));
    expect(summary(leg)).toBe("written_unverified 14 written_unverified: GET POST GET");
  });
});
