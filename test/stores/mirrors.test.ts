import { describe, expect, test } from "bun:test";
import { Host, type Entry, type StageRun } from "../addons/host.ts";
import { scriptedServer, type Received, type Step } from "../support/scripted-server.ts";
import { against, BYTES, cut, PROGRAM, stage, stagedIn, succeeded, whole } from "./against.ts";

describe("mirrors", () => {
  async function mirrored(
    first: Step,
    second: Step,
  ): Promise<{ run: StageRun; first: string; asked: number; staged: string | null }> {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    const route = `GET /${String(entry["artifact_object_key"])}`;
    await using bad = await scriptedServer({ [route]: first });
    await using good = await scriptedServer({ [route]: second });
    const flags = ["--store", bad.url, "--store", good.url];
    const run = await stage(host, bad, flags);
    return { run, first: bad.url, asked: good.requests.length, staged: stagedIn(host) };
  }

  const firsts: [string, Step][] = [
    ["wrong bytes", { body: Buffer.alloc(BYTES.length, "x") }],
    ["404", { status: 404 }],
    ["401", { status: 401 }],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:1/" } }],
    ["a broken transfer each time", cut],
    ["a patience beyond the budget", { status: 503, headers: { "retry-after": "900" } }],
  ];
  test.each(firsts)(
    "case 45: after %s the next one is asked, and the first is blamed by name",
    async (_name, first) => {
      const { run, first: name, staged } = await mirrored(first, whole);
      expect(run.exit).toBe(0);
      expect(staged).toBe(PROGRAM);
      const blame = run.document.warnings.filter(({ code }) => code === "mirror_failed");
      expect(blame).toHaveLength(1);
      expect(blame[0]?.message).toContain(name);
    },
  );
  test("the first good one wins", async () => {
    const { run, asked } = await mirrored(whole, whole);
    expect([run.exit, asked]).toEqual([0, 0]);
    expect(run.document.warnings.filter(({ code }) => code === "mirror_failed")).toEqual([]);
  });
  test("that are all bad are all named, wrong bytes first", async () => {
    const { run, first, staged } = await mirrored(
      { body: "other" },
      { status: 503, headers: { "retry-after": "900" } },
    );
    expect([run.exit, run.document.addons[0]?.error?.code]).toEqual([6, "hash_mismatch"]);
    expect(run.document.addons[0]?.error?.message).toContain(first);
    expect(run.document.addons[0]?.error?.message).toContain("HTTP 503");
    expect(staged).toBeNull();
  });
  test("a token is for the host that it was given for", async () => {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    const route = `GET /${String(entry["artifact_object_key"])}`;
    await using bad = await scriptedServer({ [route]: { status: 404 } });
    await using good = await scriptedServer({ [route]: whole });
    const stores = ["--store", bad.url, "--store", good.url];
    const named = [...stores, "--store-token-env", `127.0.0.1:${good.port}=TOKEN`];
    expect((await stage(host, bad, named, { TOKEN: "secret-token-1" })).exit).toBe(0);
    expect(bad.requests[0]?.headers["authorization"]).toBeUndefined();
    expect(good.requests[0]?.headers["authorization"]).toBe("Bearer secret-token-1");
    const unnamed = await stage(host, bad, [...stores, "--store-token-env", "TOKEN"], {
      TOKEN: "secret-token-1",
    });
    expect([unnamed.exit, unnamed.document.error?.code]).toEqual([2, "flags_contradict"]);
  });
});

describe("the gateway", () => {
  const grant = "grant-of-one-hour";
  async function granted(
    step: Step,
    token = grant,
    entry: Entry = {},
  ): Promise<{ run: StageRun; requests: readonly Received[]; others: number }> {
    using host = new Host();
    await using server = await scriptedServer({ "POST /dl/7?sig=abc": step, "GET /dl/7?sig=abc": step });
    await using other = await scriptedServer({});
    const more = { download_url: `${server.url}/dl/7?sig=abc`, download_token: token, ...entry };
    host.assign(host.program("app", "1.0", PROGRAM, more));
    const run = await stage(host, other);
    return { run, requests: server.requests, others: other.requests.length };
  }

  test("is asked by POST, with its own header and no body, before any store", async () => {
    const { run, requests, others } = await granted(whole);
    expect([run.exit, others]).toEqual([0, 0]);
    expect(
      requests.map(({ method, body, headers }) => [method, body, headers["x-serviceradar-plugin-token"]]),
    ).toEqual([["POST", "", grant]]);
    expect(requests[0]?.headers["content-length"]).toBe("0");
  });
  test("is enough by itself: an assignment need not name an object", async () => {
    const { run, others } = await granted(whole, grant, { artifact_object_key: "" });
    expect([run.exit, others]).toEqual([0, 0]);
    const bytes = await granted({ body: "other bytes" }, grant, { artifact_object_key: "" });
    expect(bytes.run.document.addons).toMatchObject([{ error: { code: "hash_mismatch" } }]);
    const nothing = await granted(whole, grant, { artifact_object_key: "", artifact_sha256: "" });
    expect(nothing.run.document.addons).toMatchObject([{ error: { code: "artifact_incomplete" } }]);
  });
  test("without a token by GET", async () => {
    const { run, requests } = await granted(whole, "");
    expect([run.exit, requests[0]?.method]).toEqual([0, "GET"]);
  });
  test("answers 200 or not at all, and neither the grant nor its URL is told", async () => {
    const { run, requests, others } = await granted({ status: 202, body: BYTES });
    expect([run.exit, requests.length, others]).toEqual([10, 1, 1]);
    expect(`${run.stderr}${JSON.stringify(run.document)}`).not.toMatch(/grant-of-one-hour|sig=abc/u);
  });
  test("is asked anew from the first byte when it breaks", async () => {
    const { run, requests } = await granted((request: Received) =>
      request.headers["range"] === undefined ? whole : { status: 400 },
    );
    expect(run.exit).toBe(0);
    const broken = await granted(cut);
    // Three in a row that bring nothing new; how much of one arrives before it breaks is chance.
    expect(broken.requests.length).toBeGreaterThanOrEqual(3);
    expect(broken.requests.filter(({ headers }) => headers["range"] !== undefined)).toEqual([]);
    expect(requests).toHaveLength(1);
  });
});

test("a presigned URL is asked as it is, and its signature is in no message", async () => {
  using host = new Host();
  await using server = await scriptedServer({ "GET /x?X-Amz-Signature=abcdef": { status: 403 } });
  const key = `${server.url}/x?X-Amz-Signature=abcdef`;
  host.assign(host.program("app", "1.0", PROGRAM, { artifact_object_key: key }));
  const run = await stage(host, server);
  expect([run.exit, server.requests.length]).toEqual([4, 1]);
  expect(`${run.stderr}${JSON.stringify(run.document)}`).not.toContain("abcdef");
});

test("a proxy in the environment does not get what is meant for this machine", async () => {
  await using proxy = await scriptedServer({});
  const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url };
  await against(whole, succeeded, [], env);
  expect(proxy.connections()).toBe(0);
});

test("case 76: a proxy in the environment is asked for what lies elsewhere, and named; not when NO_PROXY names it", async () => {
  using host = new Host();
  await using proxy = await scriptedServer({});
  host.assign(host.program("app", "1.0"));
  const env = { HTTPS_PROXY: proxy.url };
  const store = ["--store", "https://artifacts.invalid", "--retry-budget", "0s"];
  const asked = await host.stage(store, env);
  expect(asked.stderr).toContain(`through the proxy 127.0.0.1:${proxy.port} of $HTTPS_PROXY`);
  expect(proxy.connections()).toBeGreaterThan(0);
  const before = proxy.connections();
  const exempt = await host.stage([...store, "--retry-now"], { ...env, NO_PROXY: "10.0.0.0/8,.invalid" });
  expect(exempt.stderr).not.toContain("through the proxy");
  expect(proxy.connections()).toBe(before);
});
