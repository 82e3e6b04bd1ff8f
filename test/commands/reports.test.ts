import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { jsonOf, PROGRAM, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { inShell } from "../support/fragment.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { parsedOutputs } from "../support/step-outputs.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const TOKENS = { WAYBILL_TOKEN_PROD: "token-of-prod", WAYBILL_TOKEN_STAGING: "token-of-staging" };

function verify(server: ScriptedServer, digest: string, ...more: readonly string[]): string[] {
  const target = `prod=${server.url}`;
  return [
    "verify",
    "pin",
    "--template",
    "codex",
    "--digest",
    digest,
    "--target",
    target,
    "--allow-insecure-http",
    ...more,
  ];
}

const PINNED: Plan = { [LIST]: listing(row(NEW)) };

/** Runs with the two files of a runner, and reads them. */
async function withFiles(
  folder: TemporaryFolder,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished & { outputs: Record<string, string>; summary: string }> {
  const files = { GITHUB_OUTPUT: folder.at("out"), GITHUB_STEP_SUMMARY: folder.at("summary") };
  for (const path of Object.values(files)) writeFileSync(path, "earlier=1\n\n");
  const run = await runWaybill(args, { env: { ...TOKENS, ...files, ...env } });
  const outputs = readFileSync(files.GITHUB_OUTPUT, "utf8");
  expect(outputs).toStartWith("earlier=1\n\n");
  return {
    ...run,
    outputs: parsedOutputs(outputs),
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8"),
  };
}

describe("the outputs of a step", () => {
  test("a promotion in two environments, one of which fails", async () => {
    const board = new Board(OLD);
    await using prod = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
    await using staging = await scriptedServer({ [LIST]: { status: 401, body: "{}" } });
    using folder = temporaryFolder();
    const run = await withFiles(folder, [
      ...["promote", "--template", "codex", "--digest", NEW, "--allow-insecure-http"],
      ...["--target", `prod=${prod.url}`, "--target", `staging=${staging.url}`],
    ]);
    expect(run.code).toBe(3);
    const { legs_json: legs = "", ...others } = run.outputs;
    expect(others).toEqual({
      earlier: "1",
      ok: "false",
      exit_code: "3",
      outcome: "mixed",
      digest: NEW,
      previous_digest: "",
      prod_outcome: "landed",
      prod_previous_digest: OLD,
      staging_outcome: "failed",
      staging_previous_digest: "",
    });
    const common = { template: "codex", region: "global" };
    expect(JSON.parse(legs)).toEqual([
      {
        env: "prod",
        ...common,
        ok: true,
        outcome: "landed",
        exit_code: 0,
        digest: NEW,
        previous_digest: OLD,
      },
      {
        env: "staging",
        ...common,
        ok: false,
        outcome: "failed",
        exit_code: 4,
        digest: null,
        previous_digest: null,
      },
    ]);
    expect(run.summary).toStartWith(
      "earlier=1\n\n**waybill promote&#58; FAILED&#44; 1 of 2 proven&#44; exit code 3**\n",
    );
  });

  test("a plan that would change something has proven nothing, and says how it ended", async () => {
    const board = new Board(OLD);
    await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
    using folder = temporaryFolder();
    const run = await withFiles(folder, [
      ...["promote", "--template", "codex", "--digest", NEW, "--allow-insecure-http", "--dry-run"],
      ...["--target", `prod=${server.url}`],
    ]);
    expect(run.code).toBe(20);
    expect(run.outputs).toMatchObject({ ok: "false", exit_code: "20", outcome: "would_change" });
    expect(JSON.parse(run.outputs["legs_json"] ?? "")).toMatchObject([
      { ok: false, outcome: "would_change", exit_code: 20, digest: null },
    ]);
    expect(run.summary).toContain("**waybill promote&#58; CHANGES&#44; 0 of 1 proven&#44; exit code 20**");
  });

  test("of more legs than a value may be long are all there but that one", async () => {
    const templates = Array.from({ length: 300 }, (_, at) => `template-${at}`);
    const rows = templates.map((template_name) => row(NEW, { template_name }));
    await using server = await scriptedServer({ [LIST]: listing(...rows) });
    using folder = temporaryFolder();
    const run = await withFiles(folder, [
      ...["verify", "pin", "--target", `prod=${server.url}`, "--allow-insecure-http"],
      ...templates.flatMap((template) => ["--pin", `${template}=${NEW}`]),
    ]);
    expect(run.code).toBe(0);
    expect(run.outputs).toEqual({
      earlier: "1",
      ok: "true",
      exit_code: "0",
      outcome: "matches",
      previous_digest: NEW,
      prod_outcome: "matches",
      prod_previous_digest: NEW,
    });
    expect(run.stderr).toContain('warning: the step output "legs_json" has more than 65536 characters');
  });

  test("a run that failed before any request says so there too", async () => {
    using folder = temporaryFolder();
    const junit = folder.at("j.xml");
    const run = await withFiles(
      folder,
      [
        "verify",
        "pin",
        "--template",
        "codex",
        "--digest",
        NEW,
        "--target",
        "prod=https://cp.invalid",
        "-o",
        `junit=${junit}`,
      ],
      { WAYBILL_TOKEN_PROD: "" },
    );
    expect(run.code).toBe(4);
    expect(run.outputs).toEqual({ earlier: "1", ok: "false", exit_code: "4", outcome: "credential_missing" });
    expect(run.summary).toContain("credential&#95;missing");
    expect(readFileSync(junit, "utf8")).toContain('<error type="credential_missing"');
  });

  test("outside a runner there are none, and nothing is said about it", async () => {
    await using server = await scriptedServer(PINNED);
    expect(await runWaybill(verify(server, NEW), { env: TOKENS })).toMatchObject({ code: 0, stderr: "" });
  });

  // Not created: a runner reads only the file that it made.
  test.each([
    ["is not there", (folder: TemporaryFolder) => folder.at("none")],
    ["is a folder", (folder: TemporaryFolder) => (mkdirSync(folder.at("d")), folder.at("d"))],
    ["is a device", () => "/dev/null"],
  ])("a file that %s is a warning, and decides with --require-outputs", async (_what, pathIn) => {
    await using server = await scriptedServer(PINNED);
    using folder = temporaryFolder();
    const path = pathIn(folder);
    const env = { ...TOKENS, GITHUB_OUTPUT: path };
    const run = await runWaybill(verify(server, NEW), { env });
    expect(run.code).toBe(0);
    expect(run.stderr).toStartWith(`warning: the step outputs could not be written to "${path}": `);
    expect(existsSync(folder.at("none"))).toBe(false);
    const required = await runWaybill(verify(server, NEW, "--require-outputs", "--json"), { env });
    expect(required.code).toBe(1);
    expect(jsonOf(required)).toMatchObject({
      ok: false,
      exit_code: 1,
      error: { code: "output_not_written" },
    });
    // Known before anything was sent.
    expect(server.attempts(LIST)).toBe(1);
  });

  test("--require-outputs without the variable is 1 before anything is sent", async () => {
    await using server = await scriptedServer(PINNED);
    const run = await runWaybill(verify(server, NEW, "--require-outputs"), { env: TOKENS });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toStartWith("error: --require-outputs: $GITHUB_OUTPUT is not set\n");
    expect(server.connections()).toBe(0);
  });
});

describe("the summary of a step", () => {
  test("stays within what the runner takes, whatever is there already", async () => {
    await using server = await scriptedServer(PINNED);
    using folder = temporaryFolder();
    const path = folder.at("summary");
    writeFileSync(path, "x".repeat(1_048_576 - 100));
    const run = await runWaybill(verify(server, NEW), { env: { ...TOKENS, GITHUB_STEP_SUMMARY: path } });
    expect(run.code).toBe(0);
    expect(run.stderr).toBe(`warning: the step summary could not be written to "${path}": it is full\n`);
    expect(readFileSync(path, "utf8")).toHaveLength(1_048_576 - 100);
  });
});

describe("the JUnit report", () => {
  test("replaces the one of an earlier run", async () => {
    await using server = await scriptedServer(PINNED);
    using folder = temporaryFolder();
    writeFileSync(folder.at("j.xml"), "old");
    const run = await runWaybill(verify(server, NEW, "--output", "junit=j.xml"), {
      env: TOKENS,
      cwd: folder.path,
    });
    expect(run.code).toBe(0);
    const text = readFileSync(folder.at("j.xml"), "utf8");
    expect(text).toMatch(/<testcase classname="waybill.prod" name="prod codex" time="\d+\.\d{3}"\/>/u);
    expect(text).toContain('tests="1" failures="0" errors="0"');
  });

  test("that cannot be written is 1, whatever the verdict was", async () => {
    await using server = await scriptedServer(PINNED);
    for (const digest of [NEW, OLD]) {
      const run = await runWaybill(verify(server, digest, "-o", "junit=/dev/null/x", "--json"), {
        env: TOKENS,
      });
      expect(run.code).toBe(1);
      expect(jsonOf(run)).toMatchObject({ exit_code: 1, checked: 1, error: { code: "output_not_written" } });
    }
  });

  test.each(["sarif=x", "junit=", "junit", "x"])("no other kind: %s", async (value) => {
    const run = await runWaybill(["verify", "pin", "-o", value, "--json"]);
    expect(run.code).toBe(2);
    expect(jsonOf(run)).toMatchObject({ error: { code: "invalid_value" } });
  });
});

describe("the log", () => {
  test("GitLab gets the steps folded, with the failure outside", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(OLD)) });
    const { stderr } = await runWaybill(verify(server, NEW), { env: { ...TOKENS, GITLAB_CI: "true" } });
    const lines = stderr.split("\n");
    expect(lines[0]).toMatch(
      /^\u001b\[0Ksection_start:\d{10}:waybill_\d{13}\[collapsed=true\]\r\u001b\[0Kwaybill verify pin, step by step$/u,
    );
    expect(lines[1]).toMatch(/^prod codex: GET 200 different \(\d+ ms\)$/u);
    expect(lines[2]).toMatch(/^\u001b\[0Ksection_end:\d{10}:waybill_\d{13}\r\u001b\[0K$/u);
    expect(lines[3]).toStartWith("error: prod: PIN MISMATCH");
    expect(lines[0]?.match(/waybill_\d+/u)?.[0]).toBe(lines[2]?.match(/waybill_\d+/u)?.[0] ?? "");
  });

  test("others get the steps with --verbose", async () => {
    await using server = await scriptedServer(PINNED);
    const { stderr } = await runWaybill(verify(server, NEW, "--verbose"), { env: TOKENS });
    expect(stderr).toMatch(
      /^debug: waybill verify pin, step by step\n {2}prod codex: GET 200 equal \(\d+ ms\)\n$/u,
    );
  });

  test("a token is masked once, and never into a file", async () => {
    await using server = await scriptedServer(PINNED);
    await using other = await scriptedServer(PINNED);
    const env = { ...TOKENS, WAYBILL_TOKEN_STAGING: TOKENS.WAYBILL_TOKEN_PROD, GITHUB_ACTIONS: "true" };
    const words = [...PROGRAM, ...verify(server, NEW, "--target", `staging=${other.url}`)];
    const { stderr } = await runProgram(words, { env });
    expect(stderr.split("\n").filter((line) => line.includes("add-mask"))).toEqual([
      "::add-mask::token-of-prod",
    ]);
    using folder = temporaryFolder();
    const line = `"$@" 2>'${folder.at("log")}'`;
    expect((await runProgram(["/bin/sh", "-c", line, "sh", ...words], { env })).code).toBe(0);
    expect(readFileSync(folder.at("log"), "utf8")).not.toContain("token-of-prod");
  });

  test("--quiet says nothing but errors, also where runners fold and warn", async () => {
    await using server = await scriptedServer(PINNED);
    for (const runner of ["GITHUB_ACTIONS", "GITLAB_CI"]) {
      const env = { ...TOKENS, [runner]: "true", GITHUB_OUTPUT: "/nonexistent/out" };
      const run = await runWaybill(verify(server, NEW, "--quiet"), { env });
      expect(run.code).toBe(0);
      expect(run.stderr.replace("::add-mask::token-of-prod\n", "")).toBe("");
      const failed = await runWaybill(verify(server, OLD, "--quiet"), { env });
      expect(failed.stderr).toContain("error: prod: PIN MISMATCH");
    }
  });

  test("is UTF-8 under every locale, and takes a token file with Windows line ends", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(OLD, { promoted_by: "Zoë 漢字" })) });
    using folder = temporaryFolder();
    writeFileSync(folder.at("token"), "token-of-prod\r\n");
    const args = verify(server, NEW, "--token-file", `prod=${folder.at("token")}`);
    const run = await runWaybill(args, { env: { LANG: "C", LC_ALL: "POSIX" } });
    expect(run.code).toBe(8);
    expect(run.stderr).toContain("Zoë 漢字");
    expect(server.requests[0]?.headers["authorization"]).toBe("Bearer token-of-prod");
  });

  test("no line is so long that a runner cuts it", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `${"n".repeat(3_000)}${index}`);
    const rows = names.map((name) => row(NEW, { template_name: name }));
    await using server = await scriptedServer({ [LIST]: listing(...rows) });
    const env = { ...TOKENS, GITHUB_ACTIONS: "true" };
    const { stdout, stderr, code } = await runWaybill(verify(server, NEW), { env });
    expect(code).toBe(7);
    for (const line of [...stdout.split("\n"), ...stderr.split("\n")])
      expect(line.length).toBeLessThan(16_384);
  });
});

describe("a result that nobody can take", () => {
  test.each([
    ["--json", 1],
    ["--quiet", 1],
  ])("on a full device is 1, and the outputs are there (%s)", async (flag, code) => {
    await using server = await scriptedServer(PINNED);
    using folder = temporaryFolder();
    writeFileSync(folder.at("out"), "");
    const run = await runProgram(
      ["/bin/sh", "-c", '"$@" >/dev/full', "sh", ...PROGRAM, ...verify(server, NEW, flag)],
      {
        env: { ...TOKENS, GITHUB_OUTPUT: folder.at("out") },
      },
    );
    expect(run.code).toBe(code);
    expect(parsedOutputs(readFileSync(folder.at("out"), "utf8"))).toMatchObject({ outcome: "matches" });
  });

  test("a reader that went away leaves the verdict's own code", async () => {
    const gone = '{ sleep 0.1; "$@"; echo $? >&3; } 3>&2 | true';
    await using server = await scriptedServer({ [LIST]: listing(row(OLD)) });
    const words = [
      "/usr/bin/env",
      "WAYBILL_TOKEN_PROD=token-of-prod",
      ...PROGRAM,
      ...verify(server, NEW, "--json", "--quiet"),
    ];
    expect((await inShell(gone, words)).stderr).toEndWith("8\n");
  });
});
