import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, TOKEN, VERIFY_WORDS } from "../pins/case-run.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

/** The token as somebody may write it: as it is, in base64 with anything before it, escaped for a URL. */
const SPELLINGS = [
  TOKEN,
  `Bearer ${TOKEN}`,
  btoa(TOKEN),
  btoa(`user:${TOKEN}`),
  btoa(`a:${TOKEN}`),
  encodeURIComponent(TOKEN),
];

function shown(run: { readonly stdout: string; readonly stderr: string }): string {
  return run.stdout + run.stderr;
}

describe("the token of an environment", () => {
  test("stands in no command line while the program runs", async () => {
    await using server = await scriptedServer({ [LIST]: { send: "nothing", then: "stall" } });
    const words = ["--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`];
    const child = Bun.spawn([...PROGRAM, ...VERIFY_WORDS, ...words, "--allow-insecure-http"], {
      env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_PROD: TOKEN },
      stdout: "ignore",
      stderr: "ignore",
    });
    const request = await server.received(LIST);
    expect(request.headers["authorization"]).toBe(`Bearer ${TOKEN}`);
    if (process.platform === "linux")
      expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).not.toContain(TOKEN);
    child.kill();
    await child.exited;
  });

  test.each([301, 302, 303, 307, 308])(
    "does not follow a redirect (%i) of a write or a read",
    async (status) => {
      await using elsewhere = await scriptedServer({ [LIST]: listing(row(NEW)) });
      const redirect = { status, headers: { location: `${elsewhere.url}/cp/admin/runtime-image` } };
      const plans: readonly Plan[] = [
        { [LIST]: listing(row(OLD)), [PROMOTE]: redirect },
        { [LIST]: redirect },
      ];
      for (const plan of plans) expect((await runCase(PROMOTE_WORDS, plan)).code).toBe(10);
      expect(elsewhere.connections()).toBe(0);
    },
  );

  test("is in nothing that is printed when a server sends it back, in any spelling", async () => {
    for (const spelling of SPELLINGS) {
      const said = `your token is ${spelling}`;
      const plans: readonly Plan[] = [
        { [LIST]: { status: 500, body: JSON.stringify({ error: said }) } },
        { [LIST]: listing(row(OLD, { promoted_by: said, promoted_at: said })) },
        { [LIST]: listing(row(OLD)), [PROMOTE]: { status: 400, body: said } },
        { [LIST]: { status: 302, headers: { location: `https://${TOKEN}.example/${said}` } } },
      ];
      for (const plan of plans) {
        const run = await runCase(PROMOTE_WORDS, plan, ["--verbose", "--for", "10ms"]);
        expect(run.code).not.toBe(0);
        for (const one of SPELLINGS) expect(shown(run)).not.toContain(one);
      }
    }
  });

  test.each(["1", "curl", "true"])("is not shown by BUN_CONFIG_VERBOSE_FETCH=%s", async (value) => {
    const board = new Board(OLD);
    const run = await runCase(PROMOTE_WORDS, { [LIST]: board.list, [PROMOTE]: board.promote }, [], {
      env: { BUN_CONFIG_VERBOSE_FETCH: value },
    });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(shown(run)).not.toContain(TOKEN);
  });

  test.each([`${TOKEN}\r\nx-evil: 1`, `${TOKEN}\nx`, `to ken-12345`, `tokén-12345`, `tok\u0001en-12345`])(
    "adds no header: %j is 2, and is not shown",
    async (token) => {
      const run = await runCase(VERIFY_WORDS, { [LIST]: listing(row(NEW)) }, [], {
        env: { WAYBILL_TOKEN_PROD: token },
      });
      expect(run.code).toBe(2);
      expect(run.server.connections()).toBe(0);
      expect(shown(run)).not.toContain(token.split(/[\r\n]/u)[0] ?? token);
    },
  );

  test("goes to its own environment alone", async () => {
    await using staging = await scriptedServer({ [LIST]: listing(row(NEW)) });
    const run = await runCase(
      VERIFY_WORDS,
      { [LIST]: listing(row(NEW)) },
      ["--target", `staging=${staging.url}`],
      { env: { WAYBILL_TOKEN_STAGING: "token-of-staging" } },
    );
    expect(run.code).toBe(0);
    expect(run.server.requests.map(({ headers }) => headers["authorization"])).toEqual([`Bearer ${TOKEN}`]);
    expect(staging.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer token-of-staging",
    ]);
  });
});
