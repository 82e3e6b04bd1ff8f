import { describe, expect, test } from "bun:test";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { LIST, listing, NEW, OLD, row } from "../pins/rows.ts";

const ARGUMENTS = [
  "--template",
  "codex",
  "--digest",
  NEW,
  "--allow-insecure-http",
  "--retry-interval",
  "5ms",
];

async function verify(
  plan: Plan,
  more: readonly string[] = [],
): Promise<Finished & { server: ScriptedServer }> {
  await using server = await scriptedServer(plan);
  const run = await runWaybill(["verify", "pin", ...ARGUMENTS, "--target", `prod=${server.url}`, ...more], {
    env: { WAYBILL_TOKEN_PROD: "read-token-1234" },
  });
  return { ...run, server };
}

describe("the verdict", () => {
  const rows: [string, Plan, number, string, string][] = [
    ["equal", { [LIST]: listing(row(NEW)) }, 0, "matches", NEW],
    [
      "different",
      { [LIST]: listing(row(OLD)) },
      8,
      "mismatch",
      `PIN MISMATCH: codex in global is pinned to ${OLD}`,
    ],
    ["no row", { [LIST]: listing() }, 7, "missing", "0 rows"],
    ["201", { [LIST]: { ...listing(row(NEW)), status: 201 } }, 10, "failed", "201"],
    ["401", { [LIST]: { status: 401 } }, 4, "failed", "$WAYBILL_TOKEN_PROD"],
    ["403", { [LIST]: { status: 403 } }, 4, "failed", "403"],
    ["500", { [LIST]: { status: 500 } }, 13, "failed", "500"],
    ["429", { [LIST]: { status: 429 } }, 13, "failed", "429"],
    ["a reset", { [LIST]: { send: "nothing", then: "reset" } }, 12, "failed", "broke"],
    ["a cut", { [LIST]: { ...listing(row(NEW)), bodyBytes: 20 } }, 12, "failed", "broke"],
  ];
  test.each(rows)("%s", async (_what, plan, code, outcome, part) => {
    const run = await verify(plan, ["--json"]);
    expect(run.code).toBe(code);
    expect(jsonOf(run)).toMatchObject({
      schema: "waybill.verify-pin/v1",
      ok: code === 0,
      exit_code: code,
      legs: [{ outcome, exit_code: code }],
    });
    expect(run.stdout + run.stderr).toContain(part);
    expect(run.server.attempts(LIST)).toBe(1);
    expect(run.server.requests.every(({ method }) => method === "GET")).toBe(true);
  });

  test("is told on one line", async () => {
    const run = await verify({ [LIST]: listing(row(NEW)) });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toBe(`OK      prod: codex (global) matches: ${NEW} proven by 1 read\n`);
  });

  test("names who promoted something else", async () => {
    const run = await verify({ [LIST]: listing(row(OLD)) });
    expect(run.stdout).toBe(`FAILED  prod: codex (global) mismatch at ${run.server.url}/\n`);
    expect(run.stderr).toBe(
      `error: prod: PIN MISMATCH: codex in global is pinned to ${OLD} (promoted by api-token-00112233 at 2026-08-11T03:50:52.42571Z); wanted ${NEW}\n` +
        "  hint: the promotion did not land, or another one came after it; promote again or look who did\n",
    );
  });
});

describe("waiting", () => {
  test("one read is all without --for", async () => {
    const run = await verify({ [LIST]: [listing(row(OLD)), listing(row(NEW))] });
    expect(run.code).toBe(8);
    expect(run.server.attempts(LIST)).toBe(1);
  });

  test("--for polls until it is equal", async () => {
    const run = await verify({ [LIST]: [listing(row(OLD)), { status: 500 }, listing(), listing(row(NEW))] }, [
      "--for",
      "30s",
    ]);
    expect(run.code).toBe(0);
    expect(run.server.attempts(LIST)).toBe(4);
  });

  test("--stable wants them in a row", async () => {
    const plan = { [LIST]: [NEW, NEW, OLD, NEW, NEW, NEW].map((digest) => listing(row(digest))) };
    const run = await verify(plan, ["--for", "30s", "--stable", "3"]);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("proven by 3 equal reads");
    expect(run.server.attempts(LIST)).toBe(6);
  });

  test("--stable without --for ends at the first other one", async () => {
    const run = await verify({ [LIST]: [listing(row(NEW)), listing(row(OLD))] }, ["--stable", "3"]);
    expect(run.code).toBe(8);
    expect(run.server.attempts(LIST)).toBe(2);
  });

  test("no attempt takes longer than --timeout", async () => {
    const run = await verify({ [LIST]: { send: "nothing", then: "stall" } }, ["--timeout", "60ms"]);
    expect(run.code).toBe(12);
    expect(run.stderr).toContain("gave no whole answer within 60 ms");
  });

  test("--timeout is the ceiling over all", async () => {
    const run = await verify({ [LIST]: listing(row(NEW)) }, [
      "--stable",
      "999",
      "--timeout",
      "300ms",
      "--for",
      "1h",
    ]);
    expect(run.code).toBe(8);
    expect(run.stderr).toContain("reads in a row; wanted 999");
  });
});

test("a signal in a stalled read ends it with a document", async () => {
  await using server = await scriptedServer({ [LIST]: { send: "nothing", then: "stall" } });
  const words = [...PROGRAM, "verify", "pin", ...ARGUMENTS, "--target", `prod=${server.url}`, "--json"];
  const child = Bun.spawn(words, {
    cwd: "/",
    env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_PROD: "read-token-1234" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = Promise.all([child.stdout.text(), child.stderr.text()]);
  await server.received(LIST);
  child.kill("SIGTERM");
  const code = await child.exited;
  const [stdout, stderr] = await output;
  expect(code).toBe(143);
  expect(jsonOf({ code, stdout, stderr })).toMatchObject({
    exit_code: 143,
    legs: [{ outcome: "failed", error: { code: "terminated" } }],
  });
});
