import { describe, expect, test } from "bun:test";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, QUICK, runCase, TOKEN, VERIFY_WORDS, type LegShown } from "../pins/case-run.ts";
import { PUT, SHOW, VersionedBoard } from "../pins/versioned-board.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill, type Finished } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { scriptedServer, type Answer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";

const PIN = ["--template", "codex", "--digest", NEW, "--allow-insecure-http", "--json"];

type Run = Finished & { readonly legs: readonly LegShown[] };

async function promoteTo(
  servers: Readonly<Record<string, ScriptedServer>>,
  more: readonly string[] = [],
): Promise<Run> {
  const targets = Object.entries(servers).flatMap(([name, { url }]) => ["--target", `${name}=${url}`]);
  const env = Object.fromEntries(
    Object.keys(servers).map((name) => [`WAYBILL_TOKEN_${name.toUpperCase()}`, `token-of-${name}`]),
  );
  const run = await runWaybill(["promote", ...PIN, ...targets, ...QUICK, ...more], { env });
  return { ...run, legs: (jsonOf(run) as { legs: LegShown[] }).legs };
}

function onBoard(digest: string | null): Plan {
  const board = new Board(digest);
  return { [LIST]: board.list, [PROMOTE]: board.promote };
}

describe("order", () => {
  test("case 62: a pin that is there already is not written again, but with --touch", async () => {
    expect((await runCase(PROMOTE_WORDS, onBoard(NEW))).told).toBe("already 0: GET");
    const touched = await runCase(PROMOTE_WORDS, onBoard(NEW), ["--touch"]);
    expect(touched.told).toBe("landed 0: GET POST GET");
  });

  test("case 63: an older build gives way to a newer one: 0 with a warning, or 5 where asked", async () => {
    const board = new VersionedBoard(OLD, 43);
    const run = await runCase(PROMOTE_WORDS, board.plan(), ["--seq", "42"]);
    expect(run.told).toBe("superseded 0: GET GET");
    expect(run.leg).toMatchObject({
      ok: true,
      before: { digest: OLD, seq: 43 },
      after: null,
      race_window: null,
    });
    expect(run.stderr).toBe("warning: prod: codex is pinned by a newer build (43); this one wrote nothing\n");
    const strict = await runCase(PROMOTE_WORDS, board.plan(), ["--seq", "42", "--superseded", "fail"]);
    expect(strict.told).toBe("superseded 5 superseded: GET GET");
    expect((await runCase(PROMOTE_WORDS, board.plan(), ["--superseded", "maybe"])).code).toBe(2);
  });

  test("case 64: a build number that cannot be read lets the write through, and the version guards it", async () => {
    const unread = new VersionedBoard(OLD, null);
    const run = await runCase(PROMOTE_WORDS, unread.plan(), ["--seq", "42"]);
    expect(run.told).toBe("landed 0: GET GET PUT GET");
    expect(run.leg.race_window).toBe("closed");
    const moved = new VersionedBoard(OLD, null);
    const plan = moved.plan({ [PUT]: moved.after(() => moved.move(FOREIGN, null), moved.put) });
    const overtaken = await runCase(PROMOTE_WORDS, plan, ["--seq", "42"]);
    expect(overtaken.told).toBe("failed 11 previous_differs: GET GET PUT GET GET");
    expect(moved.digest).toBe(FOREIGN);
    const open = await runCase(PROMOTE_WORDS, onBoard(OLD), ["--seq", "42"]);
    expect(open.told).toBe("landed 0: GET POST GET");
    expect(open.leg.race_window).toBe("open");
  });

  test("case 65: somebody who writes after us is named, and not fought", async () => {
    const other = listing(row(FOREIGN, { promoted_by: "api-token-99aabbcc" }));
    const plan = { [LIST]: [listing(row(OLD)), other], [PROMOTE]: { body: "{}" } };
    const run = await runCase(PROMOTE_WORDS, plan, ["--for", "20ms"]);
    expect(run.told).toMatch(/^moved_after_write 8 moved_after_write: GET POST GET/u);
    for (const part of [NEW, FOREIGN, "api-token-99aabbcc", "2026-08-11"]) expect(run.stderr).toContain(part);
    expect(run.server.attempts(PROMOTE)).toBe(1);
  });

  test("case 66: a pin that flips back is caught by --stable", async () => {
    const plan = {
      [LIST]: [OLD, NEW, NEW, OLD].map((digest) => listing(row(digest))),
      [PROMOTE]: { body: "{}" },
    };
    expect((await runCase(PROMOTE_WORDS, plan)).code).toBe(0);
    const run = await runCase(PROMOTE_WORDS, plan, ["--stable", "3", "--for", "50ms"]);
    expect(run.told).toMatch(/^mismatch 8 pin_mismatch: GET POST GET GET GET/u);
  });

  test("case 67: a replica that lags is waited for, and not for ever", async () => {
    const lag = [OLD, OLD, OLD, NEW].map((digest) => listing(row(digest)));
    const plan = { [LIST]: lag, [PROMOTE]: { body: "{}" } };
    expect((await runCase(PROMOTE_WORDS, plan)).told).toBe("landed 0: GET POST GET GET GET");
    const never = { [LIST]: listing(row(OLD)), [PROMOTE]: { body: "{}" } };
    expect((await runCase(PROMOTE_WORDS, never, ["--for", "20ms"])).told).toMatch(
      /^mismatch 8 pin_mismatch/u,
    );
  });

  test("case 68: two replicas that differ are told as flapping", async () => {
    const turns = [NEW, OLD, NEW, OLD].map((digest) => listing(row(digest)));
    const run = await runCase(VERIFY_WORDS, { [LIST]: turns }, ["--stable", "2"]);
    expect(run.told).toBe("mismatch 8 pin_mismatch: GET GET");
    expect(run.leg.error?.hint).toContain("it flaps");
    const settles = [...turns, listing(row(NEW)), listing(row(NEW))];
    const waited = await runCase(VERIFY_WORDS, { [LIST]: settles }, [
      "--stable",
      "2",
      "--for",
      "10s",
      "--timeout",
      "10s",
    ]);
    expect(waited.told).toBe("matches 0: GET GET GET GET GET GET");
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "case 70: %s between the write and the read ends the run, with what is known, and it can be run again",
    async (signal) => {
      const board = new Board(OLD);
      const stalled = Promise.withResolvers<void>();
      const stall = (): Answer => {
        stalled.resolve();
        return { send: "nothing", then: "stall" };
      };
      await using server = await scriptedServer({
        [LIST]: [board.list, stall, board.list],
        [PROMOTE]: board.promote,
      });
      // Left alone it would wait for an hour.
      const patience = ["--attempt-timeout", "1h", "--timeout", "1h"];
      const words = ["promote", ...PIN, "--target", `prod=${server.url}`];
      const child = Bun.spawn([...PROGRAM, ...words, ...patience], {
        cwd: "/",
        env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_PROD: TOKEN },
        stdout: "pipe",
        stderr: "ignore",
      });
      await stalled.promise;
      child.kill(signal);
      const stdout = await child.stdout.text();
      // Not 143: that the write is out and unproven is what the caller has to know.
      expect(await child.exited).toBe(14);
      expect(JSON.parse(stdout)).toMatchObject({ legs: [{ outcome: "written_unverified", exit_code: 14 }] });
      const again = await runWaybill(words, { env: { WAYBILL_TOKEN_PROD: TOKEN } });
      expect(jsonOf(again)).toMatchObject({ exit_code: 0, legs: [{ outcome: "already" }] });
      expect(server.attempts(PROMOTE)).toBe(1);
    },
  );

  test("case 71: a job that is started again has the same key", async () => {
    const env = {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://ci.example",
      GITHUB_REPOSITORY: "a/b",
      GITHUB_RUN_ID: "77",
    };
    const keyOf = async (given: Readonly<Record<string, string>>): Promise<string | undefined> => {
      const plan = { [LIST]: listing(row(OLD)), [PROMOTE]: { status: 400 } };
      const { server } = await runCase(PROMOTE_WORDS, plan, [], { env: given });
      return server.requests.find(({ method }) => method === "POST")?.headers["idempotency-key"];
    };
    const first = await keyOf({ ...env, GITHUB_RUN_ATTEMPT: "1" });
    expect(first).toMatch(/^"[0-9a-f]{64}"$/u);
    expect(await keyOf({ ...env, GITHUB_RUN_ATTEMPT: "2" })).toBe(first);
    // Outside of CI each run is one of its own.
    for (const other of [{}, { BUILD_URL: "" }]) expect(await keyOf(other)).not.toBe(await keyOf(other));
  });

  test("case 72: going back needs the flag and a reason", async () => {
    const board = new VersionedBoard(OLD, 43);
    const seq = ["--seq", "42"];
    for (const flags of [
      ["--allow-rollback"],
      ["--reason", "43 crashes"],
      ["--allow-rollback", "--reason", "\u0007"],
    ]) {
      const run = await runCase(PROMOTE_WORDS, board.plan(), [...seq, ...flags]);
      expect([run.code, run.server.connections()]).toEqual([2, 0]);
    }
    const back = await runCase(PROMOTE_WORDS, board.plan(), [
      ...seq,
      "--allow-rollback",
      "--reason",
      "43 crashes",
    ]);
    expect(back.told).toBe("landed 0: GET GET PUT GET");
    const put = back.server.requests.find(({ method }) => method === "PUT");
    expect(JSON.parse(put?.body ?? "{}")).toMatchObject({ seq: 42, rollback: true, reason: "43 crashes" });
  });

  test.each([
    ["held", undefined],
    ["frozen", undefined],
    ["vetoed", NEW],
  ])("case 73: a pin that is %s stays, and the one who did it is named", async (kind, image_digest) => {
    const board = new VersionedBoard(OLD);
    board.stops = [{ kind, reason: "an audit", by: "api-token-00112233", image_digest }];
    const run = await runCase(PROMOTE_WORDS, board.plan());
    expect(run.told).toBe("failed 5 policy_denied: GET GET");
    expect(run.stderr).toContain(`${kind} by api-token-00112233: an audit`);
    expect((await runCase(PROMOTE_WORDS, board.plan(), ["--break-glass"])).code).toBe(2);
    const broken = await runCase(PROMOTE_WORDS, board.plan(), ["--break-glass", "--reason", "prod is down"]);
    expect(broken.told).toBe("landed 0: GET GET PUT GET");
  });
});

describe("before the first write", () => {
  const held = (): Plan => {
    const board = new VersionedBoard(OLD);
    board.stops = [{ kind: "frozen", reason: "a holiday", by: "ops" }];
    return board.plan();
  };

  test("what a policy refuses in one environment stops every write", async () => {
    await using staging = await scriptedServer(held());
    await using prod = await scriptedServer(onBoard(OLD));
    await using there = await scriptedServer(onBoard(NEW));
    const run = await promoteTo({ staging, prod, there });
    expect(run.legs.map(({ env, outcome, exit_code }) => [env, outcome, exit_code])).toEqual([
      ["staging", "failed", 5],
      ["prod", "held_back", 5],
      ["there", "already", 0],
    ]);
    expect(run.code).toBe(3);
    expect(run.legs[1]?.error?.message).toContain(
      "staging: codex in global may not be changed: frozen by ops",
    );
    expect(prod.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("also one that would be blind", async () => {
    await using staging = await scriptedServer(held());
    await using prod = await scriptedServer({ [LIST]: { status: 401 }, [PROMOTE]: { body: "{}" } });
    const run = await promoteTo({ staging, prod }, ["--no-verify"]);
    expect(run.legs.map(({ outcome, exit_code }) => [outcome, exit_code])).toEqual([
      ["failed", 5],
      ["failed", 4],
    ]);
    expect(prod.attempts(PROMOTE)).toBe(0);
  });

  test("all of one mind is that policy's code", async () => {
    await using staging = await scriptedServer(held());
    await using prod = await scriptedServer(onBoard(OLD));
    expect((await promoteTo({ staging, prod })).code).toBe(5);
  });

  test.each([
    ["dead", { [LIST]: { send: "nothing", then: "reset" } }, 12],
    ["without a right", { [LIST]: { status: 401 } }, 4],
    ["of another kind", { [LIST]: listing(row(OLD), row(OLD)) }, 10],
    ["at another digest than expected", { [LIST]: listing(row(FOREIGN)) }, 11],
  ] as const)("an environment that is %s fails alone", async (_what, plan: Plan, code) => {
    await using staging = await scriptedServer(plan);
    await using prod = await scriptedServer(onBoard(OLD));
    const run = await promoteTo({ staging, prod }, ["--expect-previous", OLD]);
    expect(run.legs.map(({ outcome, exit_code }) => [outcome, exit_code])).toEqual([
      ["failed", code],
      ["landed", 0],
    ]);
    expect(run.code).toBe(3);
  });

  test("one that is slow to answer keeps the others waiting for one attempt and no longer", async () => {
    const order: string[] = [];
    const board = new Board(OLD);
    await using staging = await scriptedServer({
      [LIST]: () => {
        order.push("staging");
        return { status: 500 };
      },
    });
    await using prod = await scriptedServer({
      [LIST]: board.list,
      [PROMOTE]: (request) => {
        order.push("written");
        return typeof board.promote === "function" ? board.promote(request) : board.promote;
      },
    });
    const run = await promoteTo({ staging, prod });
    expect(run.legs.map(({ exit_code }) => exit_code)).toEqual([13, 0]);
    expect(order.indexOf("written")).toBe(1);
    expect(order.filter((name) => name === "staging").length).toBeGreaterThan(2);
  });
});

describe("--dry-run", () => {
  test("sends GETs alone, and is 20 when something would change", async () => {
    const run = await runCase(PROMOTE_WORDS, onBoard(OLD), ["--dry-run"]);
    expect(run.told).toBe("would_change 20: GET");
    expect(run.leg).toMatchObject({
      ok: false,
      exit_code: 20,
      before: { digest: OLD },
      after: null,
      error: null,
    });
    expect(run.stderr).toBe("");
    const versioned = await runCase(PROMOTE_WORDS, new VersionedBoard(null).plan(), ["--dry-run"]);
    expect(versioned.told).toBe("would_change 20: GET GET");
    expect(versioned.server.attempts(SHOW)).toBe(1);
  });

  test("is 0 when all is there", async () => {
    expect((await runCase(PROMOTE_WORDS, onBoard(NEW), ["--dry-run"])).told).toBe("already 0: GET");
  });

  test("is neither on any problem", async () => {
    expect((await runCase(PROMOTE_WORDS, { [LIST]: { status: 401 } }, ["--dry-run"])).code).toBe(4);
    expect((await runCase(PROMOTE_WORDS, { [LIST]: listing(row("latest")) }, ["--dry-run"])).code).toBe(10);
    const expected = ["--dry-run", "--expect-previous", FOREIGN];
    expect((await runCase(PROMOTE_WORDS, onBoard(OLD), expected)).code).toBe(11);
    await using dead = await scriptedServer({ [LIST]: { send: "nothing", then: "reset" } });
    await using good = await scriptedServer(onBoard(OLD));
    const run = await promoteTo({ dead, good }, ["--dry-run"]);
    expect(run.code).toBe(3);
    expect(run.legs[1]).toMatchObject({ outcome: "would_change", exit_code: 20 });
    expect(good.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("is told on one line", async () => {
    await using server = await scriptedServer(onBoard(OLD));
    const flags = ["--template", "codex", "--digest", NEW, "--allow-insecure-http", "--dry-run"];
    const run = await runWaybill(["promote", ...flags, "--target", `prod=${server.url}`], {
      env: { WAYBILL_TOKEN_PROD: TOKEN },
    });
    expect(run).toMatchObject({
      code: 20,
      stdout: `CHANGE  prod: codex (global) would change: ${OLD} -> ${NEW}\n`,
      stderr: "",
    });
  });
});

describe("with our own control plane", () => {
  async function withPlane(
    work: (
      plane: ControlPlaneProcess,
      promote: (
        digest: string,
        more?: readonly string[],
        ci?: Readonly<Record<string, string>>,
      ) => Promise<Run>,
    ) => Promise<void>,
  ): Promise<void> {
    const plane = await startControlPlane();
    try {
      const token = await plane.token(["pins:read", "pins:write"], "prod");
      const promote = async (
        digest: string,
        more: readonly string[] = [],
        ci: Readonly<Record<string, string>> = {},
      ): Promise<Run> => {
        const flags = ["--template", "codex", "--digest", digest, "--allow-insecure-http", "--json"];
        const run = await runWaybill(["promote", ...flags, "--target", `prod=${plane.address}`, ...more], {
          env: { WAYBILL_TOKEN_PROD: token, ...ci },
        });
        return { ...run, legs: (jsonOf(run) as { legs: LegShown[] }).legs };
      };
      await work(plane, promote);
    } finally {
      await plane.stop();
    }
  }

  test("builds land in order, an older one gives way, and one goes back on purpose", async () => {
    await withPlane(async (plane, promote) => {
      const outcome = ({ code, legs: [leg] }: Run): string => `${code} ${leg?.outcome} ${leg?.race_window}`;
      expect(outcome(await promote(OLD, ["--seq", "1", "--expect-previous", "none"]))).toBe(
        "0 landed closed",
      );
      expect(outcome(await promote(NEW, ["--seq", "2", "--expect-previous", OLD]))).toBe("0 landed closed");
      expect(outcome(await promote(NEW, ["--seq", "2"]))).toBe("0 already null");
      expect(outcome(await promote(OLD, ["--seq", "1"]))).toBe("0 superseded null");
      expect(outcome(await promote(FOREIGN, ["--expect-previous", OLD]))).toBe("11 failed null");
      const back = ["--seq", "1", "--allow-rollback", "--reason", "2 crashes"];
      expect(outcome(await promote(OLD, back))).toBe("0 landed closed");
      const admin = await plane.token(["admin"], "prod");
      const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
        const answer = await fetch(`${plane.address}${path}`, {
          method,
          headers: { authorization: `Bearer ${admin}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return (await answer.json()) as Record<string, unknown>;
      };
      const { history } = (await ask("GET", "/v1/pins/codex/global/history")) as {
        history: { action: string; reason: string | null }[];
      };
      expect(history.map(({ action, reason }) => [action, reason])).toEqual([
        ["pin.rollback", "2 crashes"],
        ["pin.promote", null],
        ["pin.promote", null],
      ]);
      await ask("PUT", "/v1/pins/codex/global/hold", { reason: "an audit" });
      const held = await promote(NEW, ["--seq", "3"]);
      expect(outcome(held)).toBe("5 failed null");
      expect(held.stderr).toContain("an audit");
      // The token that promotes is not the one that breaks the glass.
      expect((await promote(NEW, ["--seq", "3", "--break-glass", "--reason", "down"])).code).toBe(4);
    });
  });

  test("one run that promotes, goes back and promotes again means each of its changes", async () => {
    await withPlane(async (_plane, promote) => {
      const env = { GITHUB_ACTIONS: "true", GITHUB_SERVER_URL: "https://ci.example" };
      const run = { ...env, GITHUB_REPOSITORY: "a/b", GITHUB_RUN_ID: "77" };
      for (const digest of [OLD, NEW, OLD, NEW, OLD]) {
        const { code, legs } = await promote(digest, [], run);
        expect([digest, code, legs[0]?.outcome]).toEqual([digest, 0, "landed"]);
      }
      const touched = await promote(OLD, ["--touch"], run);
      const again = await promote(OLD, ["--touch"], run);
      expect([touched.legs[0]?.outcome, again.legs[0]?.outcome]).toEqual(["landed", "landed"]);
    });
  });

  test("of many that start from one digest, one lands and the others say who won", async () => {
    await withPlane(async (_plane, promote) => {
      await promote(OLD);
      const digests = ["1", "2", "3", "4", "5"].map((letter) => `sha256:${letter.repeat(64)}`);
      const runs = await Promise.all(digests.map((digest) => promote(digest, ["--expect-previous", OLD])));
      const codes = runs.map(({ code }) => code).sort((a, b) => a - b);
      expect(codes.filter((code) => code === 0)).toHaveLength(1);
      expect(codes.filter((code) => code === 11)).toHaveLength(4);
    });
  });
});
