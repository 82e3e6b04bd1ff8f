import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, TOKEN, VERIFY_WORDS } from "../pins/case-run.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

const PIN = ["--template", "codex", "--digest", NEW, "--allow-insecure-http"];

type Two = { readonly one: ScriptedServer; readonly two: ScriptedServer };

async function onTwo(work: (servers: Two) => Promise<void>): Promise<void> {
  const [first, second] = [new Board(OLD), new Board(OLD)];
  await using one = await scriptedServer({ [LIST]: first.list, [PROMOTE]: first.promote });
  await using two = await scriptedServer({ [LIST]: second.list, [PROMOTE]: second.promote });
  await work({ one, two });
}

function promote(
  targets: readonly string[],
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
) {
  return runWaybill(["promote", ...PIN, ...targets, ...more], { env });
}

function untouched(...servers: readonly ScriptedServer[]): void {
  for (const server of servers) expect(server.connections()).toBe(0);
}

const message = (run: Finished): string => run.stderr.split("\n")[0] ?? "";

describe("credentials", () => {
  test("case 51: every one that is missing is named at once, before any environment is asked", async () => {
    await onTwo(async ({ one, two }) => {
      const targets = ["--target", `prod=${one.url}`, "--target", `staging=${two.url}`];
      for (const text of [undefined, "", " \n"]) {
        const env = text === undefined ? {} : { WAYBILL_TOKEN_PROD: text, WAYBILL_TOKEN_STAGING: text };
        const run = await promote(targets, env);
        expect(run.code).toBe(4);
        expect(message(run)).toContain("$WAYBILL_TOKEN_PROD secret not configured");
        expect(message(run)).toContain("$WAYBILL_TOKEN_STAGING secret not configured");
      }
      untouched(one, two);
    });
  });

  test("case 52: white space around a token is left out once, with a warning", async () => {
    const run = await runCase(VERIFY_WORDS, { [LIST]: listing(row(NEW)) }, [], {
      env: { WAYBILL_TOKEN_PROD: `${TOKEN}\n` },
    });
    expect(run.code).toBe(0);
    expect(run.stderr).toBe(
      "warning: $WAYBILL_TOKEN_PROD has white space around the token of prod; it was left out\n",
    );
    expect(run.server.requests[0]?.headers["authorization"]).toBe(`Bearer ${TOKEN}`);
  });

  test.each(["write token", "write\r\nx-evil: 1", "wr\u0001ite"])(
    "case 52: %j is refused, and not shown",
    async (text) => {
      const run = await runCase(VERIFY_WORDS, {}, [], { env: { WAYBILL_TOKEN_PROD: text } });
      expect([run.code, run.server.connections()]).toEqual([2, 0]);
      expect(run.stdout + run.stderr).not.toContain("write");
    },
  );

  test.each(["***", "${{ secrets.X }}", "null", "undefined"])("case 53: %s is no token", async (text) => {
    const run = await runCase(VERIFY_WORDS, {}, [], { env: { WAYBILL_TOKEN_PROD: text } });
    expect([run.code, run.server.connections()]).toEqual([4, 0]);
    expect(jsonOf(run)).toMatchObject({ error: { code: "credential_unexpanded" } });
  });

  test("case 54: one token for two environments is a warning, and with --strict an error", async () => {
    await onTwo(async ({ one, two }) => {
      const targets = ["--target", `prod=${one.url}`, "--target", `staging=${two.url}`];
      const env = { WAYBILL_TOKEN_PROD: TOKEN, WAYBILL_TOKEN_STAGING: TOKEN };
      const strict = await promote(targets, env, ["--strict"]);
      expect([strict.code, message(strict)]).toEqual([
        2,
        "error: prod and staging have the same token, which --strict refuses",
      ]);
      untouched(one, two);
      const run = await promote(targets, env);
      expect(run.code).toBe(0);
      expect(message(run)).toBe(
        "warning: prod and staging have the same token; whoever holds it can change both",
      );
      const apart = { WAYBILL_TOKEN_PROD: TOKEN, WAYBILL_TOKEN_STAGING: "another-token-1" };
      expect(await promote(targets, apart, ["--strict"])).toMatchObject({ code: 0, stderr: "" });
    });
  });

  test("case 55: one environment under two names is refused", async () => {
    await onTwo(async ({ one }) => {
      const targets = ["--target", `prod=${one.url}`, "--target", `prod-eu=${one.url}/`];
      const run = await promote(targets, { WAYBILL_TOKEN_PROD: TOKEN, WAYBILL_TOKEN_PROD_EU: TOKEN });
      expect([run.code, message(run)]).toEqual([
        2,
        "error: prod and prod-eu are the same environment: one server and one token",
      ]);
      untouched(one);
    });
  });

  test("case 69: two names of one server are a warning, unless its tokens tell them apart", async () => {
    await onTwo(async ({ one }) => {
      const targets = ["--target", `prod=${one.url}`, "--target", `staging=${one.url}`];
      const other = await promote(targets, {
        WAYBILL_TOKEN_PROD: TOKEN,
        WAYBILL_TOKEN_STAGING: "another-token-1",
      });
      expect(other.code).toBe(0);
      expect(message(other)).toBe("warning: prod and staging are the same server; is one of the URLs wrong?");
      const own = ["a", "b"].map((letter) => `wb_${letter.repeat(43)}`);
      const env = { WAYBILL_TOKEN_PROD: own[0] ?? "", WAYBILL_TOKEN_STAGING: own[1] ?? "" };
      expect(await promote(targets, env)).toMatchObject({ code: 0, stderr: "" });
    });
  });
});

describe("names and values", () => {
  test("case 56: an environment that is not there is refused, with the one that was meant", async () => {
    using folder = temporaryFolder();
    await onTwo(async ({ one }) => {
      const environments = { prod: { url: one.url }, staging: { url: one.url } };
      writeFileSync(folder.at("targets.json"), JSON.stringify({ environments }));
      const rows: [string, string][] = [
        ["production", "did you mean --env prod?"],
        ["stagin", "did you mean --env staging?"],
        ["stage", "name one of these"],
        ["qa", "name one of these"],
      ];
      for (const [env, hint] of rows) {
        const run = await promote(["--config", folder.at("targets.json"), "--env", env], {});
        expect([env, run.code]).toEqual([env, 2]);
        expect(run.stderr).toContain(`hint: ${hint}`);
      }
      untouched(one);
    });
  });

  test("case 57: no environment at all is refused", async () => {
    const run = await promote([], {});
    expect(run.code).toBe(2);
    using folder = temporaryFolder();
    writeFileSync(folder.at("empty.json"), '{"environments":{}}');
    expect((await promote(["--config", folder.at("empty.json"), "--all"], {})).code).toBe(2);
  });

  test.each(["abc123", "HEAD", "0123abc-dirty", "0123ABC"])(
    "case 58: the commit %s is refused",
    async (sha) => {
      const run = await runCase(PROMOTE_WORDS, {}, ["--git-sha", sha]);
      expect([run.code, run.server.connections()]).toEqual([2, 0]);
    },
  );

  test("case 59: notes that are too long lose prose, and never their stamp", async () => {
    const stamp = `[ci-pin-provenance v1 run=123456 sha=${"a".repeat(40)}]`;
    for (const notes of [`${"long ".repeat(150)}${stamp}`, `${stamp}${" long".repeat(150)}`]) {
      const board = new Board(OLD);
      const plan = { [LIST]: board.list, [PROMOTE]: board.promote };
      const run = await runCase(PROMOTE_WORDS, plan, ["--notes", `${notes}\n\u0007`]);
      const post = run.server.requests.find(({ method }) => method === "POST");
      const sent: string = JSON.parse(post?.body ?? "{}").notes;
      expect(run.code).toBe(0);
      expect(sent).toEndWith(stamp);
      expect(sent).toContain("…");
      expect(Array.from(sent).length).toBeLessThanOrEqual(500);
      expect(Array.from(sent).length).toBeGreaterThan(480);
      expect(sent).not.toMatch(/[\u0000-\u001f]/u);
    }
    const huge = await runCase(PROMOTE_WORDS, {}, ["--notes", `[ci-pin-provenance v1 ${"x".repeat(500)}]`]);
    expect([huge.code, huge.server.connections()]).toEqual([2, 0]);
  });

  test("case 60: a digest that the publishing step did not set is refused, and told as that", async () => {
    const env = { TEMPLATE_NAME: "codex", IMAGE_DIGEST: "" };
    const run = await runWaybill(["promote", "--target", "prod=https://cp.example.com"], { env });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("the step that publishes the image exposed no digest");
  });
});
