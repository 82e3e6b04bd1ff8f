import { describe, expect, test } from "bun:test";
import { RateLimit } from "../../../src/control-plane/http/rate-limit.ts";
import { requestHandler } from "../../../src/control-plane/handle.ts";
import { ask } from "../ask.ts";
import { archive, digestOf, withPlane } from "../plane.ts";

const POST = "/cp/admin/runtime-image/promote";
const json = (template_name: string): object => ({ template_name, image_digest: digestOf("a") });

function form(source_repo: string | null): FormData {
  const body = new FormData();
  body.set("agent_name", "a");
  body.set("image_name", "i");
  if (source_repo !== null) body.set("source_repo", source_repo);
  body.set("context_archive", archive("x"), "x.tgz");
  return body;
}

describe("a token for one template", () => {
  test("promotes, reads and lists that one alone, and what it is refused is recorded", async () => {
    await withPlane(async (plane) => {
      const all = await plane.token(["pins:read", "pins:write"]);
      const token = await plane.token(["pins:read", "pins:write"], "default", null, { templates: ["codex"] });
      expect((await ask(plane, "POST", POST, { token: all, json: json("hermes") })).status).toBe(200);
      expect((await ask(plane, "POST", POST, { token, json: json("codex") })).status).toBe(200);
      const list = await plane.call("GET", "/cp/admin/runtime-image", { token });
      expect(await list.json()).toMatchObject({ pins: [{ template_name: "codex" }] });
      const refused: readonly (readonly [string, string, object?])[] = [
        ["POST", POST, json("hermes")],
        ["GET", "/v1/pins/hermes/global"],
        ["GET", "/v1/pins/hermes/global/history"],
        ["PUT", "/v1/pins/hermes/global", json("hermes")],
        ["POST", "/v1/pins/hermes/global/rollback", { reason: "x" }],
      ];
      for (const [method, path, body] of refused) {
        const options = {
          token,
          headers: { "if-match": "*" },
          ...(body === undefined ? {} : { json: body }),
        };
        const answer = await ask(plane, method, path, options);
        expect([path, answer.status, answer.body["code"]]).toEqual([path, 403, "forbidden"]);
      }
      expect(await plane.events("decision = 'denied'")).toHaveLength(refused.length);
    });
  });

  test("as an administrator holds and vetoes that one alone, and freezes nothing", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["admin"], "default", null, { templates: ["codex"] });
      const put = async (path: string): Promise<number> =>
        (await plane.call("PUT", path, { token, json: { reason: "x" } })).status;
      expect(await put("/v1/pins/codex/global/hold")).toBe(200);
      expect(await put("/v1/pins/hermes/global/hold")).toBe(403);
      expect(await put(`/v1/vetoes/hermes/${digestOf("a")}`)).toBe(403);
      expect(await put("/v1/freeze")).toBe(403);
      expect((await plane.call("DELETE", "/v1/freeze", { token })).status).toBe(403);
    });
  });
});

describe("a token for one repository", () => {
  test("records, reads and lists its builds alone", async () => {
    await withPlane(async (plane) => {
      const scopes = ["builds:read", "builds:write"] as const;
      const all = await plane.token(scopes);
      const token = await plane.token(scopes, "default", null, { repos: ["example.com/a"] });
      const post = (by: string, repo: string | null): Promise<Response> =>
        plane.call("POST", "/v5/builds", { token: by, body: form(repo) });
      const other = (await (await post(all, "example.com/b")).json()) as { id: string };
      expect((await post(token, "example.com/a")).status).toBe(200);
      expect((await post(token, "example.com/b")).status).toBe(403);
      expect((await post(token, null)).status).toBe(403);
      expect((await plane.call("GET", `/v5/builds/${other.id}`, { token })).status).toBe(404);
      const list = (await (await plane.call("GET", "/v5/builds", { token })).json()) as { items: object[] };
      expect(list.items).toMatchObject([{ source_repo: "example.com/a" }]);
    });
  });
});

describe("a token for one host", () => {
  test("asks for that host alone, and never for all", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["addons:read"], "default", null, { hosts: ["web-1"] });
      const get = async (query: string): Promise<number> =>
        (await plane.call("GET", `/v1/addons/assignments?platform=linux/amd64${query}`, { token })).status;
      expect([await get("&host=web-1"), await get("&host=web-2"), await get("")]).toEqual([200, 403, 403]);
    });
  });

  test("pages through its hosts without a word of those between", async () => {
    await withPlane(async (plane) => {
      const all = await plane.token(["hosts:report", "hosts:read"]);
      for (const host of ["db-9", "web-1", "web-2", "zz-3"]) {
        const json = { platform: "linux/amd64", addons: [] };
        expect((await plane.call("PUT", `/v1/hosts/${host}/status`, { token: all, json })).status).toBe(200);
      }
      const token = await plane.token(["hosts:read"], "default", null, { hosts: ["web-1", "zz-3"] });
      const page = async (after: string): Promise<unknown> => {
        const answer = await ask(plane, "GET", `/v1/hosts?limit=1${after}`, { token });
        const hosts = answer.body["hosts"] as { host: string }[];
        return [hosts.map(({ host }) => host), answer.body["next_after"]];
      };
      expect([await page(""), await page("&after=web-1"), await page("&after=zz-3")]).toEqual([
        [["web-1"], "web-1"],
        [["zz-3"], "zz-3"],
        [[], null],
      ]);
    });
  });

  test("publishes nothing: a version that is assigned elsewhere would run otherwise there", async () => {
    await withPlane(async (plane) => {
      const all = await plane.token(["addons:write"]);
      const token = await plane.token(["addons:write"], "default", null, { hosts: ["web-1"] });
      const publish = async (by: string, args: string[]): Promise<number> => {
        const json = { addon_id: "dns", version: "1", binary: "dns", delivery: "os_package", args };
        return (await plane.call("POST", "/v1/addons/packages", { token: by, json })).status;
      };
      expect([await publish(all, []), await publish(token, ["--evil"])]).toEqual([200, 403]);
      expect(await plane.events("decision = 'denied'")).toMatchObject([{ action: "package.publish" }]);
    });
  });
});

describe("rate limits", () => {
  test("a bucket is filled again with time, for each caller alone, also by a clock that went back", () => {
    const limit = new RateLimit(2, 3);
    for (let at = 0; at < 3; at++) {
      expect(limit.waitOf("a", 1_000)).toBe(0);
      limit.take("a", 1_000);
    }
    expect(limit.waitOf("a", 1_000)).toBe(1);
    expect(limit.waitOf("b", 1_000)).toBe(0);
    expect(limit.waitOf("a", 1_499)).toBe(1);
    expect(limit.waitOf("a", 1_500)).toBe(0);
    expect(limit.waitOf("a", 0)).toBe(1);
    expect(limit.waitOf("a", 3_600_000)).toBe(0);
  });

  test("callers without number do not fill the memory", () => {
    const limit = new RateLimit(1, 1);
    limit.take("first", 0);
    for (let at = 0; at < 10_000; at++) limit.take(String(at), 0);
    expect([limit.waitOf("first", 0), limit.waitOf("9999", 0)]).toEqual([0, 1]);
  });

  test("whoever presents wrong tokens is told to wait after a hundred, and whoever has a right one is not", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const list = (options: object): Promise<Response> =>
        plane.call("GET", "/cp/admin/runtime-image", options);
      for (let at = 0; at < 100; at++) expect((await list({})).status).toBe(401);
      const answer = await list({});
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
      expect(await answer.json()).toEqual({ error: "too many requests", code: "rate_limited" });
      expect((await list({ token })).status).toBe(200);
      plane.now = new Date(plane.now.getTime() + 1_000);
      expect((await list({})).status).toBe(401);
    });
  });

  test("a token has its own when the server sets one", async () => {
    await withPlane(async (plane) => {
      const handle = requestHandler(
        plane.deps,
        { request: () => {}, fault: () => {} },
        { perSecond: 1, burst: 2 },
      );
      const one = await plane.token(["pins:read"]);
      const two = await plane.token(["pins:read"]);
      const list = async (token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}` };
        return (await handle(new Request("http://x/cp/admin/runtime-image", { headers }), () => "")).status;
      };
      expect([await list(one), await list(one), await list(one), await list(two)]).toEqual([
        200, 200, 429, 200,
      ]);
    });
  });
});
