import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { jsonOf, PROGRAM, CLEAN_ENVIRONMENT, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Answer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";

const TOKEN = "write-token-1234";
const PIN = ["--template", "codex", "--digest", NEW];
const QUICK = ["--retry-interval", "5ms", "--for", "100ms", "--allow-insecure-http"];
const OK: Answer = { body: JSON.stringify(row(NEW)) };
const LOST: Answer = { send: "nothing", then: "reset" };

type Target = readonly [name: string, server: ScriptedServer];

function promote(targets: readonly Target[], more: readonly string[] = []): Promise<Finished> {
  const named = targets.flatMap(([name, { url }]) => ["--target", `${name}=${url}`]);
  const tokens = targets.map(([name]) => [`WAYBILL_TOKEN_${name.toUpperCase()}`, TOKEN]);
  return runWaybill(["promote", ...PIN, ...named, ...QUICK, ...more], { env: Object.fromEntries(tokens) });
}

async function onServer(
  plan: Plan,
  more: readonly string[] = [],
): Promise<Finished & { server: ScriptedServer }> {
  await using server = await scriptedServer(plan);
  return { ...(await promote([["prod", server]], more)), server };
}

function boardPlan(digest: string | null): Plan {
  const board = new Board(digest);
  return { [LIST]: board.list, [PROMOTE]: board.promote };
}

describe("one environment", () => {
  test("landed, told on one line", async () => {
    const run = await onServer(boardPlan(OLD));
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toBe(`OK      prod: codex (global) landed: ${NEW} proven by 1 read, was ${OLD}\n`);
  });

  test("landed, where no pin was", async () => {
    const run = await onServer(boardPlan(null));
    expect(run.stdout).toBe(`OK      prod: codex (global) landed: ${NEW} proven by 1 read, no pin before\n`);
  });

  test("already there: nothing is sent", async () => {
    const run = await onServer(boardPlan(NEW));
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toBe(`OK      prod: codex (global) already: ${NEW} proven by 1 read\n`);
    expect(run.server.attempts(PROMOTE)).toBe(0);
  });

  test("the document", async () => {
    const run = await onServer(boardPlan(OLD), [
      "--json",
      "--stable",
      "2",
      "--git-sha",
      "0123abc",
      "--notes",
      "n",
    ]);
    const document = jsonOf(run);
    expect(Object.keys(document).slice(0, 3)).toEqual(["schema", "ok", "exit_code"]);
    const before = {
      digest: OLD,
      git_sha: "0123abc",
      seq: null,
      promoted_at: "2026-08-11T03:50:52.42571Z",
      promoted_by: "api-token-00112233",
      remarks: [],
    };
    expect(document).toEqual({
      schema: "waybill.promote/v1",
      ok: true,
      exit_code: 0,
      checked: 1,
      request: {
        template: "codex",
        digest: NEW,
        region: "global",
        pins: [{ template: "codex", digest: NEW }],
        git_sha: "0123abc",
        notes: "n",
      },
      legs: [
        {
          env: "prod",
          origin: run.server.url,
          template: "codex",
          region: "global",
          ok: true,
          outcome: "landed",
          exit_code: 0,
          before,
          after: { ...before, digest: NEW, reads: 2 },
          attempts: [
            { method: "GET", status: 200, result: "different", ms: expect.any(Number) },
            { method: "POST", status: 200, result: "accepted", ms: expect.any(Number) },
            { method: "GET", status: 200, result: "equal", ms: expect.any(Number) },
            { method: "GET", status: 200, result: "equal", ms: expect.any(Number) },
          ],
          proxy: null,
          race_window: "open",
          warnings: [],
          error: null,
        },
      ],
    });
  });

  test("notes that are too long for the server are cut", async () => {
    const run = await onServer(boardPlan(OLD), ["--notes", "n".repeat(600)]);
    expect(run.code).toBe(0);
    const post = run.server.requests.find(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "").notes).toHaveLength(500);
  });

  const failures: [string, Plan, number, string, string][] = [
    [
      "unauthorized",
      { [LIST]: listing(row(OLD)), [PROMOTE]: { status: 401 } },
      4,
      "failed",
      "$WAYBILL_TOKEN_PROD",
    ],
    ["a lie without a row", { [LIST]: listing(), [PROMOTE]: OK }, 7, "missing", "0 rows"],
    [
      "a listing that dies",
      { [LIST]: [listing(row(OLD)), LOST], [PROMOTE]: LOST },
      14,
      "outcome_unknown",
      "nothing proves that it landed",
    ],
    ["a server that is gone", { [LIST]: LOST }, 12, "failed", "broke"],
  ];
  test.each(failures)("%s", async (_what, plan, code, outcome, part) => {
    const run = await onServer(plan, ["--json", "--timeout", "1s"]);
    expect(run.code).toBe(code);
    const document = jsonOf(run);
    expect(document).toMatchObject({
      ok: false,
      exit_code: code,
      legs: [{ ok: false, outcome, exit_code: code, after: null }],
    });
    expect(JSON.stringify(document)).toContain(part.replaceAll('"', '\\"'));
    expect(run.stderr).toStartWith("error: prod: ");
    expect(run.stderr).toContain(part);
  });

  test("the answer was lost", async () => {
    const board = new Board(OLD);
    const run = await onServer({ [LIST]: board.list, [PROMOTE]: board.applied(LOST) });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toStartWith("OK      prod: codex (global) landed_after_lost_response: ");
  });
});

describe("several environments", () => {
  test("one that is dead blocks no other", async () => {
    await using good = await scriptedServer(boardPlan(OLD));
    await using dead = await scriptedServer({ [LIST]: LOST });
    const run = await promote(
      [
        ["staging", dead],
        ["prod", good],
      ],
      ["--json", "--timeout", "1s"],
    );
    expect(run.code).toBe(3);
    expect(jsonOf(run)).toMatchObject({
      ok: false,
      exit_code: 3,
      checked: 1,
      legs: [
        { env: "staging", ok: false, outcome: "failed", exit_code: 12 },
        { env: "prod", ok: true, outcome: "landed", exit_code: 0 },
      ],
    });
  });

  test("that all fail in the same way have that code", async () => {
    await using one = await scriptedServer({ [LIST]: { status: 401 } });
    await using two = await scriptedServer({ [LIST]: { status: 401 } });
    const run = await promote([
      ["one", one],
      ["two", two],
    ]);
    expect(run.code).toBe(4);
    expect(run.stdout).toBe(
      `FAILED  one: codex (global) failed at ${one.url}/\nFAILED  two: codex (global) failed at ${two.url}/\n`,
    );
  });

  test("of a configuration, with its variables and files", async () => {
    using folder = temporaryFolder();
    await using one = await scriptedServer(boardPlan(OLD));
    await using two = await scriptedServer(boardPlan(NEW));
    writeFileSync(folder.at("token"), " file-token-9999\n");
    const config = {
      environments: {
        one: { url: one.url, token_env: "ONE_TOKEN", read_token_env: "ONE_READ" },
        // From the folder of the configuration, and not from the one that the program runs in.
        two: { url: two.url, token_file: "token" },
      },
    };
    writeFileSync(folder.at("targets.json"), JSON.stringify(config));
    const env = {
      ONE_TOKEN: "one-token-1111",
      ONE_READ: "one-read-2222",
      WAYBILL_CONFIG: folder.at("targets.json"),
    };
    const run = await runWaybill(["promote", ...PIN, "--all", ...QUICK], { env });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const seen = [...one.requests, ...two.requests].map(
      ({ method, headers }) => `${method} ${headers["authorization"]}`,
    );
    expect(seen).toEqual([
      "GET Bearer one-read-2222",
      "POST Bearer one-token-1111",
      "GET Bearer one-read-2222",
      "GET Bearer file-token-9999",
    ]);
    const only = await runWaybill(["promote", ...PIN, "--env", "two", ...QUICK, "--json"], { env });
    expect(jsonOf(only)).toMatchObject({ checked: 1, legs: [{ env: "two", outcome: "already" }] });
  });

  test("with several pins", async () => {
    const rows = new Map<string, string>();
    await using server = await scriptedServer({
      [LIST]: () => listing(...[...rows].map(([template_name, digest]) => row(digest, { template_name }))),
      [PROMOTE]: ({ body }) => {
        const { template_name, image_digest } = JSON.parse(body) as Record<string, string>;
        rows.set(template_name ?? "", image_digest ?? "");
        return {};
      },
    });
    const pins = ["--pin", `codex=${NEW}`, "--pin", `hermes=${OLD}`];
    const run = await runWaybill(["promote", ...pins, "--target", `prod=${server.url}`, ...QUICK, "--json"], {
      env: { WAYBILL_TOKEN_PROD: TOKEN },
    });
    expect(jsonOf(run)).toMatchObject({
      ok: true,
      checked: 2,
      request: { pins: [{ template: "codex" }, { template: "hermes" }] },
    });
    expect(Object.fromEntries(rows)).toEqual({ codex: NEW, hermes: OLD });
  });
});

describe("a signal in the middle of a stalled write", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s leaves a document", async (signal) => {
    await using server = await scriptedServer({
      [LIST]: listing(row(OLD)),
      [PROMOTE]: { send: "nothing", then: "stall" },
    });
    const child = Bun.spawn(
      [...PROGRAM, "promote", ...PIN, "--target", `prod=${server.url}`, "--allow-insecure-http", "--json"],
      {
        cwd: "/",
        env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_PROD: TOKEN },
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const output = Promise.all([child.stdout.text(), child.stderr.text()]);
    await server.received(PROMOTE);
    child.kill(signal);
    const code = await child.exited;
    const [stdout, stderr] = await output;
    expect(code).toBe(14);
    expect(jsonOf({ code, stdout, stderr })).toMatchObject({
      exit_code: 14,
      legs: [{ outcome: "outcome_unknown", exit_code: 14, error: { code: "outcome_unknown" } }],
    });
    expect(stderr).toContain(`stopped by ${signal}`);
  });
});
