import { describe, expect, test } from "bun:test";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, VERIFY_WORDS, type CaseRun } from "../pins/case-run.ts";
import type { Answer } from "../support/scripted-server.ts";

function verify(answer: Answer, more: readonly string[] = []): Promise<CaseRun> {
  return runCase(VERIFY_WORDS, { [LIST]: answer }, more);
}

/** Bytes as they are, for what no JSON.stringify makes. */
function bytes(body: string | Uint8Array): Answer {
  return { body };
}

const ROW = JSON.stringify(row(NEW));

describe("the listing", () => {
  test("case 36: without rows is a missing row, and says that there are 0", async () => {
    const run = await verify(listing());
    expect(run.told).toBe("missing 7 row_missing: GET");
    expect(run.stderr).toContain("0 rows");
  });

  test("case 37: with others names them, at most twenty, and the one that was probably meant", async () => {
    const names = ["codexx", ...Array.from({ length: 30 }, (_, index) => `other-${index}`)];
    const run = await verify(listing(...names.map((template_name) => row(NEW, { template_name }))));
    expect(run.told).toBe("missing 7 row_missing: GET");
    expect(run.leg.error?.hint).toContain('did you mean "codexx"?');
    expect(run.leg.error?.message.match(/"other-\d+"/gu)).toHaveLength(19);
    const far = await verify(listing(row(NEW, { template_name: "hermes" })));
    expect(far.leg.error?.hint).not.toContain("did you mean");
  });

  test("case 38: with the template in another region says in which", async () => {
    const run = await verify(listing(row(NEW, { region: "eu" }), row(NEW, { region: "us" })));
    expect(run.told).toBe("missing 7 row_missing: GET");
    expect(run.leg.error?.message).toContain('it has one in "eu", "us"');
    const many = Array.from({ length: 30 }, (_, at) => row(NEW, { region: `r${at}` }));
    const cut = await verify(listing(...many));
    expect(cut.leg.error?.message.match(/"r\d+"/gu)).toHaveLength(20);
  });

  test("case 39: a row without a region is the global one, and the evidence says so", async () => {
    const run = await verify(listing(row(NEW, { region: undefined })));
    expect(run.told).toBe("matches 0: GET");
    expect(run.leg.after?.remarks).toEqual(["region_missing"]);
    expect((await verify(listing(row(NEW)))).leg.after?.remarks).toEqual([]);
    const eu = await verify(listing(row(NEW, { region: undefined })), ["--region", "eu"]);
    expect(eu.told).toBe("missing 7 row_missing: GET");
  });

  test.each([
    ["two that agree", [row(NEW), row(NEW)]],
    ["the right one first", [row(NEW), row(OLD)]],
    ["the right one last", [row(OLD), row(NEW)]],
    ["one without a region", [row(NEW), row(NEW, { region: undefined })]],
  ])("case 40: rows of one pin are ambiguous: %s", async (_what, rows) => {
    expect((await verify(listing(...rows))).told).toBe("failed 10 answer_ambiguous: GET");
  });

  test.each([
    null,
    "",
    7,
    true,
    NEW.toUpperCase(),
    ` ${NEW}`,
    `${NEW}\n`,
    NEW.slice(7),
    NEW.slice(0, 30),
    "codex:latest",
    `sha512:${"a".repeat(128)}`,
  ])("case 41: the digest %j is none, and is not made one", async (digest) => {
    expect((await verify(listing(row(digest)))).told).toBe("failed 10 answer_malformed: GET");
  });

  test.each([
    ["in the row", `{"pins":[{"image_digest":"${OLD}",${ROW.slice(1)}]}`],
    ["in the row, with one value", `{"pins":[{"image_digest":"${NEW}",${ROW.slice(1)}]}`],
    ["on top", `{"pins":[],"pins":[${ROW}]}`],
    ["with an escape", `{"pins":[{"image\\u005fdigest":"${OLD}",${ROW.slice(1)}]}`],
  ])("case 42: a member twice %s", async (_what, body) => {
    expect((await verify(bytes(body))).told).toBe("failed 10 answer_not_json: GET");
  });

  test.each([
    '{"pins":null}',
    '{"pins":{}}',
    '{"pins":"x"}',
    '{"pins":[null]}',
    '{"pins":[[]]}',
    "{}",
    "null",
    '"pins"',
    "7",
  ])("case 43: %s is no listing", async (body) => {
    expect((await verify(bytes(body))).told).toBe("failed 10 answer_malformed: GET");
  });

  test("case 44: a bare list is taken, and the evidence says so", async () => {
    const run = await verify(bytes(`[${ROW}]`));
    expect(run.told).toBe("matches 0: GET");
    expect(run.leg.after?.remarks).toEqual(["bare_array"]);
  });

  test("case 45: what we do not know is left alone, and a state is shown", async () => {
    const run = await verify(listing(row(NEW, { state: "held", colour: { a: [1] } })));
    expect(run.told).toBe("matches 0: GET");
    expect(run.leg.warnings).toEqual([{ code: "row_state", message: 'the row of codex is in state "held"' }]);
    expect(run.stderr).toContain('warning: prod: the row of codex is in state "held"');
    expect((await verify(listing(row(NEW, { state: "active" })))).leg.warnings).toEqual([]);
  });

  test("case 46: more rows or bytes than anybody has are too many", async () => {
    const many = Array.from({ length: 10_001 }, () => ({}));
    expect((await verify(listing(...many))).told).toBe("failed 10 answer_malformed: GET");
    const big = await verify(listing(row(NEW, { notes: "x".repeat(4_300_000) })));
    expect(big.told).toBe("failed 10 answer_too_large: GET");
  });

  test("case 47: a byte-order mark is skipped, and nothing else is guessed", async () => {
    const text = `{"pins":[${ROW}]}`;
    expect((await verify(bytes(`\ufeff${text}`))).told).toBe("matches 0: GET");
    for (const utf16 of [text, `\ufeff${text}`]) {
      const little = Buffer.from(utf16, "utf16le");
      for (const body of [little, Buffer.from(little).swap16()])
        expect((await verify(bytes(body))).told).toBe("failed 10 answer_not_json: GET");
    }
    const broken = Buffer.concat([Buffer.from(text.slice(0, -3)), Buffer.from([0xff]), Buffer.from("]}")]);
    expect((await verify(bytes(broken))).told).toBe("failed 10 answer_not_json: GET");
  });

  test.each([
    "2026-08-11T03:50:52.42571Z",
    "2026-08-11T03:50:52Z",
    "2999-01-01T00:00:00Z",
    "yesterday",
    undefined,
    7,
  ])("case 48: promoted_at %j decides nothing", async (promoted_at) => {
    expect((await verify(listing(row(NEW, { promoted_at })))).told).toBe("matches 0: GET");
  });

  test("case 49: a row whose reference has another digest contradicts itself", async () => {
    const other = await verify(listing(row(NEW, { image_ref: `registry.example/codex@${FOREIGN}` })));
    expect(other.told).toBe("mismatch 8 row_inconsistent: GET");
    expect((await verify(listing(row(NEW, { image_ref: `registry.example/codex@${NEW}` })))).code).toBe(0);
  });

  test("case 50: another commit is a warning, and a mismatch where it must match", async () => {
    const other = listing(row(NEW, { git_sha: "fedcba9" }));
    const warned = await verify(other, ["--git-sha", "0123abc"]);
    expect(warned.told).toBe("matches 0: GET");
    expect(warned.leg.warnings.map(({ code }) => code)).toEqual(["git_sha_differs"]);
    expect(warned.stderr).toContain("was built from fedcba9; wanted 0123abc");
    const must = ["--git-sha", "0123abc", "--git-sha-must-match"];
    expect((await verify(other, must)).told).toBe("mismatch 8 git_sha_differs: GET");
    for (const git_sha of [undefined, "", "0", "0123ab"]) {
      const none = await verify(listing(row(NEW, { git_sha })), must);
      expect([git_sha, none.told]).toEqual([git_sha, "mismatch 8 git_sha_differs: GET"]);
    }
    // One has seven characters, the other all forty.
    const whole = listing(row(NEW, { git_sha: `0123abc${"0".repeat(33)}` }));
    expect((await verify(whole, must)).told).toBe("matches 0: GET");
    const board = new Board(NEW);
    const promoted = await runCase(PROMOTE_WORDS, { [LIST]: board.list }, ["--git-sha", "fedcba9"]);
    expect(promoted.told).toBe("already 0: GET");
    expect(promoted.leg.warnings.map(({ code }) => code)).toEqual(["git_sha_differs"]);
    expect((await verify(other, ["--git-sha-must-match"])).code).toBe(2);
  });

  test("a region with a pin of its own is told beside the global one", async () => {
    const rows = [row(NEW), row(OLD, { region: "eu" }), row(NEW, { region: "us" })];
    const run = await verify(listing(...rows));
    expect(run.told).toBe("matches 0: GET");
    expect(run.leg.warnings).toEqual([
      {
        code: "region_shadow",
        message: `codex has a pin of its own in eu, at "${OLD}": the global one does not hold there`,
      },
    ]);
    const eu = await verify(listing(...rows), ["--region", "us"]);
    expect(eu.leg.warnings).toEqual([]);
    const board = {
      [LIST]: [listing(row(OLD), row(OLD, { region: "eu" })), listing(...rows)],
      [PROMOTE]: { body: "{}" },
    };
    expect((await runCase(PROMOTE_WORDS, board)).leg.warnings.map(({ code }) => code)).toEqual([
      "region_shadow",
    ]);
  });
});

describe("--not", () => {
  const not = ["--not", OLD];
  test("is satisfied by a pin at any other digest", async () => {
    const run = await verify(listing(row(NEW)), not);
    expect(run.told).toBe("differs 0: GET");
    expect(JSON.parse(run.stdout).request).toMatchObject({ template: "codex", not: OLD });
  });

  test("is not by that digest, and not by none", async () => {
    const run = await verify(listing(row(OLD)), not);
    expect(run.told).toBe("mismatch 8 pin_mismatch: GET");
    expect(run.leg.error?.message).toContain("PIN MISMATCH");
    expect(run.leg.error?.message).toContain("which it must not be");
    expect((await verify(listing(), not)).told).toBe("missing 7 row_missing: GET");
  });

  test("waits, and wants it in a row", async () => {
    const plan = { [LIST]: [OLD, NEW, OLD, NEW, FOREIGN].map((digest) => listing(row(digest))) };
    const run = await runCase(VERIFY_WORDS, plan, [
      ...not,
      "--for",
      "10s",
      "--stable",
      "2",
      "--timeout",
      "10s",
    ]);
    expect(run.told).toBe("differs 0: GET GET GET GET GET");
    expect(run.leg.after?.reads).toBe(2);
  });

  test.each([
    ["--digest", NEW],
    ["--pin", `codex=${NEW}`],
  ])("contradicts %s", async (flag, value) => {
    const run = await verify(listing(row(NEW)), [...not, flag, value]);
    expect([run.code, run.server.connections()]).toEqual([2, 0]);
  });
});
