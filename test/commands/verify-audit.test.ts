import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { FOREIGN, LIST, listing, NEW, OLD, row } from "../pins/rows.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Answer, type Plan } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

const QUICK = ["--allow-insecure-http", "--retry-interval", "5ms", "--timeout", "900ms"];
const LOST: Answer = { send: "nothing", then: "reset" };

/** Audits environments called a, b, …, one for each listing. */
async function audit(
  listings: readonly Plan[string][],
  expected: object | string | null = null,
  more: readonly string[] = [],
): Promise<Finished & { readonly methods: string[] }> {
  await using stack = new AsyncDisposableStack();
  using folder = temporaryFolder();
  const servers = [];
  for (const step of listings) servers.push(stack.use(await scriptedServer({ [LIST]: step })));
  const names = servers.map((_, index) => String.fromCodePoint(97 + index));
  if (expected !== null)
    writeFileSync(folder.at("pins.json"), typeof expected === "string" ? expected : JSON.stringify(expected));
  const run = await runWaybill(
    [
      ...["verify", "audit", ...QUICK, ...more],
      ...servers.flatMap(({ url }, index) => ["--target", `${names[index]}=${url}`]),
      ...(expected === null ? [] : ["--expect", folder.at("pins.json")]),
    ],
    {
      env: Object.fromEntries(
        names.map((name) => [`WAYBILL_TOKEN_${name.toUpperCase()}`, `token-of-${name}-1`]),
      ),
    },
  );
  return { ...run, methods: servers.flatMap(({ requests }) => requests.map(({ method }) => method)) };
}

const codex = (digest: unknown, more: object = {}): object => row(digest, { ...more });
const hermes = (digest: unknown): object => row(digest, { template_name: "hermes" });

describe("between environments", () => {
  test("that have the same pins there is no drift, and every row counts", async () => {
    const all = listing(codex(NEW), hermes(OLD));
    const run = await audit([all, all], null, ["--json"]);
    expect(run.code).toBe(0);
    expect(jsonOf(run)).toMatchObject({
      schema: "waybill.verify-audit/v1",
      ok: true,
      exit_code: 0,
      checked: 4,
      drifting: 0,
      environments: [
        { env: "a", ok: true, pins: 2, error: null },
        { env: "b", ok: true, pins: 2, error: null },
      ],
      pins: [
        { template: "codex", region: "global", expected: null, found: { a: NEW, b: NEW }, drift: [] },
        { template: "hermes", region: "global", expected: null, found: { a: OLD, b: OLD }, drift: [] },
      ],
    });
    expect(run.methods.every((method) => method === "GET")).toBe(true);
  });

  test("every one of ten thousand pins counts, and each is proven, though a listing of them has megabytes", async () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `service-${100_000 + at}`);
    const rows = (last: string): object[] =>
      names.map((template_name, at) => row(at === names.length - 1 ? last : NEW, { template_name }));
    const all = listing(...rows(NEW));
    expect(all.body?.length).toBeGreaterThan(1_048_576);
    const same = await audit([all, all], null, ["--json"]);
    expect(same.code).toBe(0);
    expect(jsonOf(same)).toMatchObject({ checked: 20_000, drifting: 0 });
    const run = await audit([all, listing(...rows(OLD))]);
    expect(run.code).toBe(8);
    expect(run.stderr).toContain("1 of 10000 pins drift: service-109999 (global)");
  });

  test.each(["codex\n", " codex", "codex\u0007", "codex\u200b", "\u202ecodex", `codex${" ".repeat(3)}`])(
    "a row of %j is none of codex, although it looks like one",
    async (template_name) => {
      const odd = listing(codex(NEW, { template_name }));
      for (const [listings, expected] of [
        [[odd], { codex: NEW }],
        [[odd, listing(codex(NEW))], null],
      ] as const) {
        const run = await audit(listings, expected, ["--json"]);
        expect(run.code).toBe(10);
        expect(jsonOf(run)).toMatchObject({
          ok: false,
          environments: [
            { env: "a", ok: false, error: { code: "answer_malformed" } },
            ...(expected === null ? [{ env: "b" }] : []),
          ],
        });
      }
    },
  );

  test("what differs, and what is absent, is drift: 8", async () => {
    const run = await audit([
      listing(codex(NEW), hermes(OLD)),
      listing(codex(OLD), codex(NEW, { region: "eu" })),
    ]);
    expect(run.code).toBe(8);
    expect(run.stdout).toBe(
      [
        "DRIFT   codex (eu) absent",
        "          a has no pin",
        `          b ${NEW}`,
        "DRIFT   codex (global) differs",
        `          a ${NEW}`,
        `          b ${OLD}`,
        "DRIFT   hermes (global) absent",
        `          a ${OLD}`,
        "          b has no pin",
        "",
      ].join("\n"),
    );
    expect(run.stderr).toStartWith("error: 3 of 3 pins drift: codex (eu), codex (global), hermes (global)\n");
  });

  test("that have no pins at all there is nothing to check: 7", async () => {
    const run = await audit([listing(), listing()], null, ["--json"]);
    expect(run.code).toBe(7);
    expect(jsonOf(run)).toMatchObject({ checked: 0, pins: [] });
  });

  test("one by itself has nothing to differ from: 2, and it is not asked", async () => {
    const run = await audit([listing(codex(NEW))]);
    expect([run.code, run.methods]).toEqual([2, []]);
  });
});

describe("--expect", () => {
  test("is held against every environment, and one is enough", async () => {
    const expected = { codex: NEW, "hermes/global": OLD };
    const all = listing(codex(NEW), hermes(OLD));
    expect(await audit([all, all], expected)).toMatchObject({ code: 0, stderr: "" });
    expect((await audit([all], expected)).code).toBe(0);
    const differs = await audit([all, listing(codex(FOREIGN), hermes(OLD))], expected);
    expect(differs.code).toBe(8);
    expect(differs.stdout).toContain(
      `DRIFT   codex (global) differs\n          expected ${NEW}\n          a ${NEW}\n`,
    );
  });

  test("all of one wrong digest is drift too", async () => {
    const wrong = listing(codex(OLD));
    expect((await audit([wrong, wrong])).code).toBe(0);
    expect((await audit([wrong, wrong], { codex: NEW })).code).toBe(8);
  });

  test("what nobody expects is drift, and what is expected and not there", async () => {
    const run = await audit([listing(codex(NEW), hermes(OLD))], { codex: NEW, openclaw: NEW }, ["--json"]);
    expect(run.code).toBe(8);
    expect(jsonOf(run)).toMatchObject({
      checked: 2,
      drifting: 2,
      pins: [
        { template: "codex", drift: [] },
        { template: "hermes", expected: null, drift: ["unexpected"] },
        { template: "openclaw", expected: NEW, found: { a: null }, drift: ["absent"] },
      ],
    });
    expect((await audit([listing()], { codex: NEW })).code).toBe(8);
  });

  test.each([
    ["nothing", {}],
    ["a tag", { codex: "latest" }],
    ["no name", { "": NEW }],
    ["three parts", { "a/b/c": NEW }],
    ["one pin twice", { codex: NEW, "codex/global": NEW }],
    ["one name twice", `{"codex":"${NEW}","codex":"${NEW}"}`],
    ["a list", [NEW]],
    ["no JSON", "codex"],
  ])("with %s is refused before anything is asked", async (_what, expected) => {
    const run = await audit([listing(codex(NEW))], expected);
    expect([run.code, run.methods]).toEqual([2, []]);
  });
});

describe("an environment that cannot be read", () => {
  const good = listing(codex(NEW));

  test("is partial beside two that agree: 3", async () => {
    const run = await audit([good, LOST, good], null, ["--json"]);
    expect(run.code).toBe(3);
    expect(jsonOf(run)).toMatchObject({
      checked: 2,
      environments: [{ ok: true }, { ok: false, error: { code: "connection_lost" } }, { ok: true }],
    });
  });

  test("leaves the one that is left without anything to compare: its own code", async () => {
    const run = await audit([good, { status: 401 }], null, ["--json"]);
    expect(run.code).toBe(4);
    expect(jsonOf(run)).toMatchObject({ checked: 0, pins: [] });
  });

  test("does not hide the drift of the others: 8", async () => {
    expect((await audit([good, LOST, listing(codex(OLD))])).code).toBe(8);
  });

  test("that is all of them has their code", async () => {
    expect((await audit([LOST, LOST])).code).toBe(12);
    expect((await audit([LOST, { status: 401 }])).code).toBe(4);
  });

  test("is asked again within the time", async () => {
    expect((await audit([[LOST, { status: 500 }, good], good])).code).toBe(0);
  });

  test.each([
    ["a digest that is none", listing(codex(NEW), hermes("latest")), 10],
    ["two rows of one pin", listing(codex(NEW), codex(NEW)), 10],
    ["a row without a template", listing(codex(NEW, { template_name: 7 })), 10],
    ["a row that contradicts itself", listing(codex(NEW, { image_ref: `x@${OLD}` })), 8],
    ["an empty answer", { body: "" }, 10],
  ] as const)("for %s is not passed over", async (_what, bad, code) => {
    const run = await audit([good, bad], { codex: NEW });
    expect(run.code).toBe(3);
    expect((await audit([bad], { codex: NEW })).code).toBe(code);
  });
});

test("hostile names are shown as text", async () => {
  const evil = row(NEW, { template_name: "a\n::stop-commands::x", region: "##[error]" });
  const run = await audit([listing(evil), listing()]);
  expect(run.code).toBe(10);
  expect(run.stdout + run.stderr).not.toMatch(/^::|##\[/mu);
});

test("a record of events without an end is over when the time is", async () => {
  const nothing = { env: null, reason: null, before_json: null, after_json: null, request_id: null };
  const said = { actor: "a", action: "b", decision: "c", subject: "d", at: "now", sha256: null };
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const seq = Number(new URL(url).searchParams.get("after")) + 1;
      const head = { seq: seq + 1, sha256: "0".repeat(64) };
      return Response.json({ events: [{ seq, ...nothing, ...said }], head });
    },
  });
  const target = ["--target", `a=${server.url.origin}`, "--allow-insecure-http", "--timeout", "500ms"];
  const run = await runWaybill(["verify", "audit", "--chain", ...target, "--json"], {
    env: { WAYBILL_TOKEN_A: "token-of-a-1" },
  });
  expect(run.code).toBe(12);
  expect(run.stderr).toContain("give it a longer --timeout");
});

describe("--lineage on a server that says nothing of receipts", () => {
  const plan: Plan = {
    [LIST]: listing(codex(NEW), hermes(OLD)),
    "GET /v1/pins/codex/global/receipts": { send: "nothing", then: "stall" },
  };
  const words = (url: string, ...more: readonly string[]): string[] => [
    ...["verify", "audit", "--lineage", "--key", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
    ...["--target", `a=${url}`, "--allow-insecure-http", ...more],
  ];
  const env = { WAYBILL_TOKEN_A: "token-of-a-1" };

  test("is over when the time of the environment is", async () => {
    await using server = await scriptedServer(plan);
    const run = await runWaybill(words(server.url, "--timeout", "400ms"), { env });
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain("1 of 2 pins were followed");
    expect(server.attempts("GET /v1/pins/hermes/global/receipts")).toBe(0);
  });

  test("a signal ends with its own code, and not as if something were missing", async () => {
    await using server = await scriptedServer(plan);
    const child = Bun.spawn([...PROGRAM, ...words(server.url, "--json")], {
      env: { ...CLEAN_ENVIRONMENT, ...env },
      stdout: "pipe",
      stderr: "ignore",
    });
    await server.received("GET /v1/pins/codex/global/receipts");
    child.kill("SIGTERM");
    const stdout = await child.stdout.text();
    expect(await child.exited).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: 143, checked: 0 });
  });
});

test("a signal ends it with a document", async () => {
  await using server = await scriptedServer({ [LIST]: { send: "nothing", then: "stall" } });
  await using other = await scriptedServer({ [LIST]: listing(codex(NEW)) });
  const words = ["verify", "audit", "--target", `a=${server.url}`, "--target", `b=${other.url}`];
  const child = Bun.spawn([...PROGRAM, ...words, "--allow-insecure-http", "--json"], {
    env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_A: "token-of-a-1", WAYBILL_TOKEN_B: "token-of-b-1" },
    stdout: "pipe",
    stderr: "ignore",
  });
  await server.received(LIST);
  child.kill("SIGTERM");
  const stdout = await child.stdout.text();
  expect(await child.exited).toBe(143);
  expect(JSON.parse(stdout)).toMatchObject({ exit_code: 143, checked: 0 });
});
