import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { Host, type Entry, type StageRun } from "./host.ts";

/** A control plane that answers whatever the test wants. */
let server: ReturnType<typeof Bun.serve>;
let answer: (request: Request) => Response;
let asked: { search: string; authorization: string | null }[] = [];

beforeAll(() => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      // A Request is empty once it was answered.
      asked.push({
        search: new URL(request.url).search,
        authorization: request.headers.get("authorization"),
      });
      return answer(request);
    },
  });
});
afterAll(() => server.stop(true));

function fetching(host: Host, extra: string[] = [], path = "/v1/addons/assignments"): Promise<StageRun> {
  asked = [];
  const url = `http://127.0.0.1:${server.port}${path}`;
  return host.stage(["--assignments", url, "--allow-insecure-http", "--token-env", "T", ...extra], {
    T: "secret-token-1",
  });
}

function listing(...addons: Entry[]): (request: Request) => Response {
  return () => Response.json({ addons, config_version: "v1" });
}

describe("from a server", () => {
  test("with the token and this platform", async () => {
    using host = new Host();
    answer = listing(host.program("sample", "1"));
    const { exit, document } = await fetching(host, ["--platform", "linux/amd64"]);
    expect(exit).toBe(0);
    expect(document).toMatchObject({ assignments: "source", addons: [{ outcome: "staged" }] });
    expect(asked).toEqual([{ search: "?platform=linux%2Famd64", authorization: "Bearer secret-token-1" }]);
    expect(lstatSync(join(host.root, "assignments.json")).mode & 0o777).toBe(0o600);
  });

  test("a platform in the URL stays", async () => {
    using host = new Host();
    answer = listing();
    await fetching(host, [], "/list?platform=linux/s390x&host=a");
    expect(asked[0]?.search).toBe("?platform=linux/s390x&host=a");
  });

  test("case 71: an empty list is valid, and is not mistaken for no list", async () => {
    using host = new Host();
    answer = listing();
    const { exit, document } = await fetching(host);
    expect(exit).toBe(0);
    expect(document).toMatchObject({ ok: true, checked: 0, assignments: "source", warnings: [] });
  });

  const failing: [string, () => Response, number][] = [
    ["is busy", () => new Response("x", { status: 503 }), 12],
    ["asks for patience", () => new Response("x", { status: 429 }), 12],
    ["refuses the token", () => Response.json({ error: "no", code: "unauthorized" }, { status: 401 }), 4],
    ["allows nothing", () => new Response("x", { status: 403 }), 4],
    ["knows nothing", () => new Response("x", { status: 404 }), 7],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
      10,
    ],
    ["wants a login of the network", () => new Response("", { status: 511 }), 12],
    ["shows a login page", () => new Response("<html>", { headers: { "content-type": "text/html" } }), 10],
    ["answers an error with 200", () => Response.json({ error: "no" }), 10],
    ["answers nothing", () => new Response(""), 10],
    ["says as before", () => Response.json({ addons: [], not_modified: true }), 10],
  ];
  test.each(failing)("case 76: that %s changes nothing", async (_name, failure, alone) => {
    using host = new Host();
    answer = listing(host.program("sample", "1"));
    await fetching(host);
    answer = failure;
    const { exit, document } = await fetching(host);
    expect(exit).toBe(0);
    expect(document).toMatchObject({ assignments: "cache", addons: [{ outcome: "unchanged" }] });
    expect(document.warnings.map((warning) => warning.code)).toEqual(["assignments_cached"]);

    using fresh = new Host();
    const strict = await fetching(fresh, ["--strict"]);
    expect(strict.exit).toBe(alone);
    const first = await fetching(fresh);
    expect(first.exit).toBe(alone === 12 ? 0 : alone);
    if (alone === 12) {
      expect(strict.document.error?.code).toBe("assignments_unavailable");
      expect(first.document).toMatchObject({ checked: 0, assignments: "none" });
      expect(first.document.warnings.map((warning) => warning.code)).toEqual(["assignments_unavailable"]);
    }
  });

  test("case 72: that is gone at the first boot", async () => {
    using host = new Host();
    const url = "http://127.0.0.1:9/list";
    const { exit, document } = await host.stage(["--assignments", url, "--allow-insecure-http"]);
    expect(exit).toBe(0);
    expect(document.warnings.map((warning) => warning.code)).toEqual(["assignments_unavailable"]);
    expect((await host.stage(["--assignments", url, "--allow-insecure-http", "--strict"])).exit).toBe(12);
  });

  const spoilt: [string, (path: string) => unknown][] = [
    ["cut off", (path) => writeFileSync(path, '{"addons":[')],
    ["open to others", (path) => chmodSync(path, 0o666)],
    ["empty", (path) => writeFileSync(path, "")],
  ];
  test.each(spoilt)(
    "a remembered list that is %s is told, and is not taken for none",
    async (_name, spoil) => {
      using host = new Host();
      answer = listing(host.program("sample", "1"));
      await fetching(host);
      const path = join(host.root, "assignments.json");
      spoil(path);
      answer = () => new Response("x", { status: 503 });
      const { exit, document } = await fetching(host);
      expect([exit, document.assignments, document.warnings.map(({ code }) => code)]).toEqual([
        0,
        "none",
        ["assignments_unavailable", "state_unreadable"],
      ]);
      const strict = await fetching(host, ["--strict"]);
      expect(strict.document.error).toMatchObject({ code: "assignments_unavailable" });
      expect(strict.document.error?.message).toContain(path);
      answer = () => new Response("x", { status: 403 });
      const refused = await fetching(host);
      expect(refused.exit).toBe(4);
      expect(refused.document.error?.message).toContain(path);

      const plan = await host.addon("plan", ["--key", host.publicKey]);
      expect(plan.document["error"]).toMatchObject({ message: expect.stringContaining(path) });
      expect((await host.addon("status", [])).document).toMatchObject({
        assignments: "none",
        addons: [{ addon_id: "sample", has: { version: "1" } }],
        warnings: [{ code: "state_unreadable" }],
      });
      expect((await runWaybill(["addon", "exec", "other", "--root", host.root])).stderr).toContain(path);

      answer = listing(host.program("sample", "1"));
      expect((await fetching(host)).document).toMatchObject({ assignments: "source", warnings: [] });
      answer = () => new Response("x", { status: 503 });
      expect((await fetching(host)).document).toMatchObject({ assignments: "cache" });
    },
  );

  test("a malformed answer is not remembered", async () => {
    using host = new Host();
    answer = listing();
    await fetching(host);
    const before = readFileSync(join(host.root, "assignments.json"), "utf8");
    answer = () => Response.json({ addons: [null] });
    await fetching(host);
    expect(readFileSync(join(host.root, "assignments.json"), "utf8")).toBe(before);
  });

  test("a variable that is not set is 4 before anything is sent", async () => {
    using host = new Host();
    answer = listing();
    const { exit, document } = await fetching(host, [
      "--store",
      `http://127.0.0.1:1`,
      "--store-token-env",
      "UNSET",
    ]);
    expect(document.error?.code).toBe("credential_missing");
    expect(exit).toBe(4);
    expect(asked).toEqual([]);
    expect(existsSync(host.root)).toBe(false);
  });
});

describe("from files", () => {
  test("standard input", async () => {
    using host = new Host();
    const stdin = JSON.stringify({ addons: [host.program("sample", "1")] });
    const finished = await runWaybill(host.arguments(["--assignments", "-"]), { stdin });
    expect(finished.code).toBe(0);
    expect(jsonOf(finished)).toMatchObject({ addons: [{ outcome: "staged" }] });
  });

  test("a malformed file is 2", async () => {
    using host = new Host();
    writeFileSync(host.list, '{"addons":[{"version":"1"}]}');
    const { exit, document } = await host.stage();
    expect(document.error?.code).toBe("input_invalid");
    expect(exit).toBe(2);
  });
});
