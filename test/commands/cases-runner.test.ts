import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, runOn, TOKEN, VERIFY_WORDS } from "../pins/case-run.ts";
import { BINARY, jsonOf, PROGRAM, runProgram, runWaybill } from "../support/binary.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const EQUAL: Plan = { [LIST]: listing(row(NEW)) };
const OTHER: Plan = { [LIST]: listing(row(OLD)) };
const GITHUB = { CI: "true", GITHUB_ACTIONS: "true" };
const GITEA = { ...GITHUB, GITEA_ACTIONS: "true" };

function wordsFor(url: string, ...more: readonly string[]): string[] {
  const pin = ["--template", "codex", "--digest", NEW, "--target", `prod=${url}`];
  return [...VERIFY_WORDS, ...pin, "--allow-insecure-http", ...more];
}

/** The program's own exit code, with its streams where `redirection` leads them. */
async function redirected(redirection: string, url: string, ...more: readonly string[]): Promise<string> {
  const line = `"$@" ${redirection}; echo "code $?" >&2`;
  const words = ["/bin/sh", "-c", line, "sh", ...PROGRAM, ...wordsFor(url, ...more)];
  const { stderr } = await runProgram(words, { env: { WAYBILL_TOKEN_PROD: TOKEN } });
  return /code (\d+)\n$/u.exec(stderr)?.[1] ?? stderr;
}

describe("where a run runs", () => {
  test("case 94: without a CI system there is no annotation, no file, and nothing is missed", async () => {
    const good = await runCase(VERIFY_WORDS, EQUAL);
    expect([good.code, good.stderr]).toEqual([0, ""]);
    const bad = await runCase(VERIFY_WORDS, OTHER);
    expect(bad.code).toBe(8);
    expect(bad.stderr).toStartWith("error: prod: PIN MISMATCH");
    expect(bad.stderr).not.toContain("::");
  });

  test("case 95: outputs that cannot be written are a warning, and 1 only where they are required", async () => {
    using folder = temporaryFolder();
    // One is not there, the other is a folder.
    for (const path of [folder.at("none"), folder.path]) {
      const env = { GITHUB_OUTPUT: path };
      for (const [plan, code] of [
        [EQUAL, 0],
        [OTHER, 8],
      ] as const) {
        const run = await runCase(VERIFY_WORDS, plan, [], { env });
        expect(run.code).toBe(code);
        expect(run.stderr).toContain("warning: the step outputs could not be written");
      }
      const required = await runCase(VERIFY_WORDS, EQUAL, ["--require-outputs"], { env });
      expect(required.code).toBe(1);
      expect(required.server.connections()).toBe(0);
    }
    expect(existsSync(folder.at("none"))).toBe(false);
  });

  test("case 96: under a runner that shows no annotation the plain text says the same", async () => {
    for (const env of [GITHUB, GITEA]) {
      const { stderr } = await runCase(VERIFY_WORDS, OTHER, [], { env });
      expect(stderr).toContain("error: prod: PIN MISMATCH: codex in global is pinned to");
      expect(stderr).toMatch(
        /^::error title=waybill pin_mismatch::prod%3A|^::error title=waybill pin_mismatch::prod: /mu,
      );
    }
    // Its deadlines are its own: a runner that ignores timeout-minutes does not keep it waiting.
    const stalled = await runCase(
      VERIFY_WORDS,
      { [LIST]: { send: "nothing", then: "stall" } },
      ["--timeout", "400ms", "--for", "400ms"],
      { env: GITEA },
    );
    expect(stalled.code).toBe(12);
  });

  test("case 97: what a server says is inert in the log, the outputs and the summary", async () => {
    using folder = temporaryFolder();
    const files = { GITHUB_OUTPUT: folder.at("out"), GITHUB_STEP_SUMMARY: folder.at("summary") };
    for (const path of Object.values(files)) writeFileSync(path, "");
    const said =
      "\n::stop-commands::x\n::set-output name=digest::evil\n##[error]boom\u001b[31m | a | <b> `c` [d](e)";
    const body = JSON.stringify({ error: said });
    const run = await runCase(PROMOTE_WORDS, { ...OTHER, [PROMOTE]: { status: 400, body } }, [], {
      env: { ...GITHUB, ...files },
    });
    expect(run.code).toBe(9);
    const sinks = [run.stdout, run.stderr, ...Object.values(files).map((path) => readFileSync(path, "utf8"))];
    for (const text of sinks) {
      expect(text).not.toMatch(/^\s*::(?:stop-commands|set-output)/mu);
      expect(text).not.toContain("##[error]");
      expect(text).not.toContain("\u001b");
    }
    expect(readFileSync(files.GITHUB_STEP_SUMMARY, "utf8")).not.toMatch(/<b>|\[d\]\(e\)/u);
  });

  test("case 98: a reader that went away keeps the verdict, a device that is full or closed is 1", async () => {
    await using equal = await scriptedServer(EQUAL);
    await using other = await scriptedServer(OTHER);
    for (const url of [equal.url, other.url])
      expect(await redirected(">/dev/full", url, "--json", "--quiet")).toBe("1");
    expect(await redirected(">&-", equal.url, "--json", "--quiet")).toBe("1");
    expect(await redirected(">/dev/null", equal.url, "--json", "--quiet")).toBe("0");
    const gone = '{ sleep 0.1; "$@"; echo "code $?" >&3; } 3>&2 | true';
    for (const [url, code] of [
      [equal.url, "0"],
      [other.url, "8"],
    ] as const) {
      const words = ["/bin/sh", "-c", gone, "sh", ...PROGRAM, ...wordsFor(url, "--json", "--quiet")];
      const { stderr } = await runProgram(words, { env: { WAYBILL_TOKEN_PROD: TOKEN } });
      expect(stderr).toEndWith(`code ${code}\n`);
    }
  });

  test("case 98: a document that is larger than a pipe holds comes whole to a reader that is slow", async () => {
    const names = Array.from({ length: 400 }, (_, at) => `t${at}`);
    await using server = await scriptedServer({
      [LIST]: listing(...names.map((template_name) => row(NEW, { template_name }))),
    });
    const pins = names.flatMap((name) => ["--pin", `${name}=${NEW}`]);
    const words = [...VERIFY_WORDS, ...pins, "--target", `prod=${server.url}`, "--allow-insecure-http"];
    const slow = '"$@" | { read -r first; sleep 0.2; echo "$first"; cat; }';
    const shell = ["/bin/sh", "-c", slow, "sh", ...PROGRAM, ...words, "--json"];
    const { stdout } = await runProgram(shell, { env: { WAYBILL_TOKEN_PROD: TOKEN } });
    expect(stdout.length).toBeGreaterThan(200_000);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, checked: names.length });
  });

  // From source it is bun itself that reads these files.
  test.skipIf(BINARY === null)(
    "case 99: .env and bunfig.toml of the current folder are not read",
    async () => {
      using folder = temporaryFolder();
      writeFileSync(
        folder.at("owned.ts"),
        `require("node:fs").writeFileSync(${JSON.stringify(folder.at("mark"))}, "");`,
      );
      writeFileSync(folder.at("bunfig.toml"), 'preload = ["./owned.ts"]\n');
      writeFileSync(
        folder.at(".env"),
        "WAYBILL_TOKEN_PROD=token-of-a-stranger\nNODE_TLS_REJECT_UNAUTHORIZED=0\nGITHUB_ACTIONS=true\n",
      );
      await using server = await scriptedServer(OTHER);
      const without = await runWaybill(wordsFor(server.url), { cwd: folder.path });
      expect(without.code).toBe(4);
      expect(without.stderr).toStartWith("error: $WAYBILL_TOKEN_PROD secret not configured");
      const run = await runWaybill(wordsFor(server.url), {
        cwd: folder.path,
        env: { WAYBILL_TOKEN_PROD: TOKEN },
      });
      expect(run.code).toBe(8);
      expect(run.stderr).not.toMatch(/NODE_TLS|::error/u);
      expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([`Bearer ${TOKEN}`]);
      expect(existsSync(folder.at("mark"))).toBe(false);
    },
  );

  test("case 100: --quiet leaves the error alone, --json one document whatever happens", async () => {
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    await using server = await scriptedServer(EQUAL);
    const loud = await runWaybill(wordsFor(server.url), { env: { WAYBILL_TOKEN_PROD: TOKEN, ...env } });
    expect(loud.stderr).toContain("warning: ");
    const quiet = await runWaybill(wordsFor(server.url, "--quiet"), {
      env: { WAYBILL_TOKEN_PROD: TOKEN, ...env },
    });
    expect([quiet.code, quiet.stderr]).toEqual([0, ""]);
    const failed = await runCase(VERIFY_WORDS, OTHER, ["--quiet"], { env });
    expect(failed.stderr).toMatch(/^error: prod: PIN MISMATCH[^\n]*\n {2}hint: [^\n]*\n$/u);
    for (const words of [
      ["verify", "pin", "--json", "--nonsense"],
      ["verify", "pin", "--json"],
      ["promote", "--json", "--template"],
      ["promte", "--json"],
    ]) {
      const run = await runWaybill(words);
      expect(run.code).toBe(2);
      expect(jsonOf(run)).toMatchObject({ ok: false, exit_code: 2 });
    }
  });

  test("case 101: Windows line ends and a locale without UTF-8 change nothing", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("token"), `${TOKEN}\r\n`);
    await using server = await scriptedServer({ [LIST]: listing(row(OLD, { promoted_by: "Zoë" })) });
    const run = await runOn(VERIFY_WORDS, server.url, ["--token-file", `prod=${folder.at("token")}`], {
      env: { LANG: "C", LC_ALL: "POSIX", WAYBILL_TOKEN_PROD: "" },
    });
    expect(run.code).toBe(8);
    expect(run.stderr).toContain("Zoë");
    expect(server.requests[0]?.headers["authorization"]).toBe(`Bearer ${TOKEN}`);
    const variable = await runOn(VERIFY_WORDS, server.url, [], {
      env: { WAYBILL_TOKEN_PROD: `${TOKEN}\r\n` },
    });
    expect(variable.code).toBe(8);
    expect(variable.stderr).toContain("warning: $WAYBILL_TOKEN_PROD has white space around the token");
  });

  test("case 102: no line is longer than what a runner shows whole", async () => {
    const board = new Board(OLD);
    const body = JSON.stringify({ error: "x".repeat(200_000) });
    const answers: readonly Plan[] = [
      { [LIST]: board.list, [PROMOTE]: { status: 400, body } },
      { [LIST]: { status: 500, body } },
      {
        [LIST]: listing(
          ...Array.from({ length: 300 }, (_, at) => row(NEW, { template_name: `${"n".repeat(900)}${at}` })),
        ),
      },
    ];
    for (const plan of answers) {
      const run = await runCase(PROMOTE_WORDS, plan, [], { env: GITHUB });
      expect(run.code).not.toBe(0);
      for (const line of `${run.stdout}\n${run.stderr}`.split("\n"))
        expect(Buffer.byteLength(line)).toBeLessThan(65_536);
    }
  });
});
