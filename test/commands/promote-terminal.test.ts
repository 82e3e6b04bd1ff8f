import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { shortener, shownTime } from "../../src/commands/leg-table.ts";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { runWaybill } from "../support/binary.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { onTerminal } from "../support/terminal.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const env = { WAYBILL_TOKEN_PROD: "prod-token-1234", WAYBILL_TOKEN_STAGING: "staging-token-1234" };
const [OLD12, NEW12] = [OLD, NEW].map((digest) => `${digest.slice(7, 19)}…`);

async function inTwo(
  words: readonly string[],
  plans: { readonly prod: Plan; readonly staging: Plan },
  columns: number,
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number; shown: string }> {
  await using prod = await scriptedServer(plans.prod);
  await using staging = await scriptedServer(plans.staging);
  const targets = ["--target", `prod=${prod.url}`, "--target", `staging=${staging.url}`];
  const given = ["--template", "codex", "--digest", NEW, "--allow-insecure-http", ...targets];
  // Awaited here: the servers are gone when this function ends.
  return await onTerminal([...words, ...given], { columns, env: { ...env, ...more } });
}

const landing = (): Plan => {
  const board = new Board(OLD);
  return { [LIST]: board.list, [PROMOTE]: board.promote };
};

describe("at a terminal", () => {
  test("the legs are a table: what was there, what is there now, how often was asked", async () => {
    const plans = { prod: landing(), staging: { [LIST]: listing(row(NEW)) } };
    const { code, shown } = await inTwo(["promote"], plans, 120);
    expect(code).toBe(0);
    expect(shown.replace(/\d+ ms/gu, "N ms")).toBe(
      [
        "result  environment  template  outcome  digest (sha256)                attempts  time",
        `\u001b[32mOK    \u001b[0m  prod         codex     landed   ${OLD12} → ${NEW12}  3         N ms`,
        `\u001b[32mOK    \u001b[0m  staging      codex     already  ${NEW12}                  1         N ms`,
        "",
      ].join("\n"),
    );
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])("has no colour with %j", async (more) => {
    const plans = { prod: landing(), staging: landing() };
    const { shown } = await inTwo(["promote"], plans, 120, more);
    expect(shown).not.toContain("\u001b");
    expect(shown).toStartWith("result  environment  template");
  });

  test("a narrow one shows a block for each leg", async () => {
    const plans = { prod: landing(), staging: { [LIST]: listing(row(FOREIGN)) } };
    const { code, shown } = await inTwo(["verify", "pin"], { ...plans, prod: { [LIST]: listing() } }, 60, {
      NO_COLOR: "1",
    });
    expect(code).toBe(8);
    const blocks = shown.replace(/\d+ ms/gu, "N ms");
    expect(blocks).toStartWith(
      [
        ...["FAILED prod codex", "  outcome          missing", "  digest (sha256)  none"],
        ...["  attempts         1", "  time             N ms", "FAILED staging codex"],
        ...["  outcome          mismatch", `  digest (sha256)  ${FOREIGN.slice(7, 19)}…, not ${NEW12}`, ""],
      ].join("\n"),
    );
    for (const line of blocks.split("\n").slice(0, 10)) expect(line.length).toBeLessThanOrEqual(60);
  });

  test("a dry run shows what would change, a refusal that nothing was read", async () => {
    const plans = { prod: { [LIST]: listing(row(OLD)) }, staging: { [LIST]: { status: 401 } } };
    const { code, shown } = await inTwo(["promote", "--dry-run"], plans, 120, { NO_COLOR: "1" });
    expect(code).toBe(3);
    expect(shown).toContain(`CHANGE  prod         codex     would_change  ${OLD12} → ${NEW12}  1`);
    expect(shown).toContain("FAILED  staging      codex     failed        not read");
  });
});

test("a pipe gets a line a leg with whole digests and no colour, whatever the variables say", async () => {
  await using server = await scriptedServer({ [LIST]: listing(row(NEW)) });
  for (const more of [{}, { NO_COLOR: "1" }, { FORCE_COLOR: "1" }, { TERM: "xterm" }]) {
    const words = ["verify", "pin", "--template", "codex", "--digest", NEW, "--allow-insecure-http"];
    const run = await runWaybill([...words, "--target", `prod=${server.url}`], { env: { ...env, ...more } });
    expect(run.stdout).toBe(`OK      prod: codex (global) matches: ${NEW} proven by 1 read\n`);
  }
});

test("digests are cut to what tells all of them apart", () => {
  const [a, b, c] = ["1", "2", "3"].map((last) => `sha256:${"ab".repeat(10)}${last}${"0".repeat(43)}`);
  const two = shortener([a, OLD, a].map(String));
  expect([a, OLD].map(String).map(two)).toEqual(["abababababab…", "000000000000…"]);
  const all = shortener([a, b, c].map(String));
  expect([a, b, c].map(String).map(all)).toEqual([1, 2, 3].map((last) => `${"ab".repeat(10)}${last}…`));
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_000, "1.0 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min 0 s"],
  [125_000, "2 min 5 s"],
])("%d milliseconds are shown as %s", (ms, shown) => {
  expect(shownTime(ms)).toBe(shown);
});
