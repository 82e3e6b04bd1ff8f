import { describe, expect, test } from "bun:test";
import { Router } from "../../src/control-plane/router.ts";
import { ROUTES } from "../../src/control-plane/routes.ts";
import { SCOPES, type Scope } from "../../src/control-plane/tokens/scopes.ts";
import type { Database } from "../../src/control-plane/storage/database.ts";
import { revokeToken } from "../../src/control-plane/tokens/tokens.ts";
import { tokenId } from "../../src/control-plane/tokens/token.ts";
import { bodyOf, digestOf, withPlane } from "./plane.ts";

const SHA = "a".repeat(64);
const PIN = "/v1/pins/codex/global";
const VETO = `/v1/vetoes/codex/sha256:${SHA}`;
/** Every route that wants a token, and the scope that opens it. */
const OPENED: readonly (readonly [string, string, Scope])[] = [
  ["POST", "/cp/admin/runtime-image/promote", "pins:write"],
  ["GET", "/cp/admin/runtime-image", "pins:read"],
  ["GET", "/v1/pins", "pins:read"],
  ["GET", PIN, "pins:read"],
  ["PUT", PIN, "pins:write"],
  ["GET", `${PIN}/history`, "pins:read"],
  ["POST", `${PIN}/rollback`, "pins:write"],
  ["GET", `${PIN}/receipts`, "pins:read"],
  ["POST", `${PIN}/receipts`, "pins:write"],
  ["PUT", `${PIN}/hold`, "admin"],
  ["DELETE", `${PIN}/hold`, "admin"],
  ["GET", "/v1/vetoes/codex", "pins:read"],
  ["PUT", VETO, "admin"],
  ["DELETE", VETO, "admin"],
  ["PUT", "/v1/freeze", "admin"],
  ["DELETE", "/v1/freeze", "admin"],
  ["GET", "/v1/policy", "pins:read"],
  ["POST", "/v5/builds", "builds:write"],
  ["GET", "/v5/builds", "builds:read"],
  ["GET", "/v5/builds/x", "builds:read"],
  ["POST", "/v1/builds", "builds:write"],
  ["GET", "/v1/builds", "builds:read"],
  ["GET", "/v1/builds/x", "builds:read"],
  ["PUT", `/v1/artifacts/${SHA}`, "addons:write"],
  ["GET", `/v1/artifacts/${SHA}`, "addons:read"],
  ["POST", "/v1/addons/packages", "addons:write"],
  ["GET", "/v1/addons/packages", "addons:read"],
  ["PUT", "/v1/addons/assignments/x", "addons:write"],
  ["DELETE", "/v1/addons/assignments/x", "addons:write"],
  ["GET", "/v1/addons/assignments/x", "addons:read"],
  ["GET", "/v1/addons/assignments", "addons:read"],
  ["PUT", "/v1/hosts/web-1/status", "hosts:report"],
  ["PUT", "/v1/hosts/web-1/labels", "addons:write"],
  ["GET", "/v1/hosts/web-1/labels", "hosts:read"],
  ["GET", "/v1/hosts/web-1", "hosts:read"],
  ["GET", "/v1/hosts", "hosts:read"],
  ["POST", "/v1/attestations", "attestations:write"],
  ["GET", `/v1/attestations/sha256:${SHA}`, "attestations:read"],
  ["GET", "/v1/events", "audit:read"],
  ["GET", "/metrics", "metrics:read"],
];

describe("scopes", () => {
  test("stand before every route that is not open and no page", () => {
    const router = new Router(ROUTES);
    const covered = OPENED.map(([method, path]) => {
      const routed = router.find(method, path);
      return routed.found === "route" ? routed.route : null;
    });
    const scoped = ROUTES.filter(({ access }) => access !== "open" && access !== "page");
    expect(scoped.filter((route) => !covered.includes(route))).toEqual([]);
    expect(covered).toHaveLength(scoped.length);
    // What is open to everybody is named here, so that nothing comes to be it by chance.
    const open = ROUTES.filter(({ access }) => access === "open").map(
      ({ method, path }) => `${method} ${path}`,
    );
    expect(open.filter((name) => !name.startsWith("GET /style-")).sort()).toEqual([
      "GET /healthz",
      "GET /readyz",
      "GET /sign-in",
      "GET /v1/openapi.json",
      "POST /sign-in",
      "POST /sign-out",
    ]);
  });

  test("open their own routes and no other; admin opens all but what is of all environments", async () => {
    await withPlane(async (plane) => {
      for (const given of SCOPES) {
        const token = await plane.token([given]);
        for (const [method, path, scope] of OPENED) {
          const { status } = await plane.call(method, path, { token });
          const opens = given === scope || (given === "admin" && scope !== "audit:read");
          const told = { given, method, path };
          expect({ ...told, isRefused: status === 403 }).toEqual({ ...told, isRefused: !opens });
          expect({ ...told, isKnown: status !== 401 }).toEqual({ ...told, isKnown: true });
        }
      }
    });
  });

  test("403 names the scope and is recorded with its token", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"], "prod");
      const answer = await plane.call("POST", "/cp/admin/runtime-image/promote", {
        token,
        json: { template_name: "codex", image_digest: digestOf("a") },
      });
      expect(await answer.json()).toEqual({
        error: "forbidden: the token lacks the scope pins:write",
        code: "forbidden",
      });
      expect(await plane.events()).toEqual([
        expect.objectContaining({
          actor: `api-token-${tokenId(token)}`,
          env: "prod",
          action: "pin.promote",
          decision: "denied",
          subject: "/cp/admin/runtime-image/promote",
          reason: "forbidden: the token lacks the scope pins:write",
        }),
      ]);
    });
  });
});

describe("tokens", () => {
  const bad: readonly (readonly [string, Record<string, string>, string])[] = [
    ["none", {}, "token missing"],
    ["an unknown one", { authorization: `Bearer wb_${"A".repeat(43)}` }, "token unknown"],
    ["another scheme", { authorization: "Basic abc" }, "token malformed"],
    ["a scheme alone", { authorization: "Bearer" }, "token malformed"],
    ["a foreign shape", { authorization: "Bearer secret" }, "token malformed"],
    ["x-api-key where it never counted", { "x-api-key": `wb_${"A".repeat(43)}` }, "token missing"],
  ];
  for (const [name, headers, reason] of bad) {
    test(`${name} is 401`, async () => {
      await withPlane(async (plane) => {
        const answer = await plane.call("GET", "/cp/admin/runtime-image", { headers });
        expect(answer.status).toBe(401);
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
        expect(await answer.json()).toEqual({ error: `unauthorized: ${reason}`, code: "unauthorized" });
        expect(await plane.events()).toEqual([
          expect.objectContaining({ actor: "anonymous", env: null, decision: "denied" }),
        ]);
      });
    });
  }

  test("the scheme is read in any case, and two tokens in one header are none", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const get = async (authorization: string): Promise<number> =>
        (await plane.call("GET", "/cp/admin/runtime-image", { headers: { authorization } })).status;
      expect(await get(`bearer ${token}`)).toBe(200);
      expect(await get(`Bearer ${token}, Bearer ${token}`)).toBe(401);
    });
  });

  test("x-api-key counts on /v5, and must not contradict the bearer", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["builds:read"]);
      const other = await plane.token(["admin"]);
      const get = async (headers: Record<string, string>): Promise<number> =>
        (await plane.call("GET", "/v5/builds", { headers })).status;
      expect(await get({ "x-api-key": token })).toBe(200);
      expect(await get({ "x-api-key": token, authorization: `Bearer ${token}` })).toBe(200);
      expect(await get({ "x-api-key": token, authorization: `Bearer ${other}` })).toBe(401);
    });
  });

  test("one that expires opens until its last instant", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"], "default", "2026-11-21T13:00:00.000000Z");
      const get = (): Promise<Response> => plane.call("GET", "/cp/admin/runtime-image", { token });
      plane.now = new Date("2026-11-21T12:59:59.999Z");
      expect((await get()).status).toBe(200);
      plane.now = new Date("2026-11-21T13:00:00.000Z");
      expect(await (await get()).json()).toEqual({
        error: "unauthorized: token expired",
        code: "unauthorized",
      });
    });
  });

  test("one that is revoked opens nothing any more", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const by = { actor: "cli", env: null, at: "2026-11-21T12:00:00.000000Z", requestId: null };
      await revokeToken(plane.database, tokenId(token), by);
      const answer = await plane.call("GET", "/cp/admin/runtime-image", { token });
      expect(await answer.json()).toEqual({ error: "unauthorized: token revoked", code: "unauthorized" });
    });
  });

  test("a stored token is its digest; neither the file nor the lines hold the token", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      await plane.call("GET", "/cp/admin/runtime-image", { token });
      await plane.call("GET", `/nothing?token=${token}`, { token });
      const stored = await plane.stored();
      expect(stored).toContain(tokenId(token));
      expect(stored).not.toContain(token.slice(3));
      expect(plane.lines).toHaveLength(2);
      expect(plane.lines.join("\n")).not.toContain(token.slice(3));
    });
  });

  test("strangers cannot fill the record: beyond 60 in a minute they are counted", async () => {
    await withPlane(async (plane) => {
      for (let at = 0; at < 100; at++) await plane.call("GET", "/v5/builds");
      expect(await plane.events()).toHaveLength(60);
      plane.now = new Date(plane.now.getTime() + 60_000);
      await plane.call("GET", "/v5/builds");
      expect((await plane.events()).at(-1)?.reason).toBe(
        "unauthorized: token missing (40 refusals before it were not recorded)",
      );
    });
  });
});

describe("paths and methods", () => {
  const nothing = [
    "/v5",
    "/v5/builds/",
    "//v5/builds",
    "/v5//builds",
    "/v5/builds/a%2Fb",
    "/v5/builds/%2e%2e",
    "/v5/builds/a%5Cb",
    "/v5/builds/a%00",
    "/v5/builds/%ff",
    "/V5/builds",
    "/cp/admin/runtime-image/promote/x",
    "/v1/artifacts",
    "/v1/artifacts/",
    "/toString",
  ];
  for (const path of nothing) {
    test(`${path} is 404`, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["admin"]);
        const answer = await plane.call("GET", path, { token });
        expect(answer.status).toBe(404);
        expect(await bodyOf(answer)).toMatchObject({
          error: "there is nothing at this path",
          code: "not_found",
        });
      });
    });
  }

  const methods: readonly (readonly [string, string, string])[] = [
    ["PUT", "/v5/builds", "GET, HEAD, POST"],
    ["DELETE", "/cp/admin/runtime-image", "GET, HEAD"],
    ["GET", "/cp/admin/runtime-image/promote", "POST"],
    ["OPTIONS", "/healthz", "GET, HEAD"],
    ["POST", `/v1/artifacts/${SHA}`, "GET, HEAD, PUT"],
    ["PUT", `/v1/artifacts/a/${SHA}`, "GET, HEAD"],
  ];
  for (const [method, path, allow] of methods) {
    test(`${method} ${path} is 405`, async () => {
      await withPlane(async (plane) => {
        const answer = await plane.call(method, path);
        expect(answer.status).toBe(405);
        expect(answer.headers.get("allow")).toBe(allow);
        expect(await answer.json()).toMatchObject({ code: "method_not_allowed" });
      });
    });
  }
});

const broken = (real: Database): Database => ({
  ...real,
  read: () => Promise.reject(new Error("the secret inside")),
});

describe("every answer", () => {
  test("carries its id and the headers that keep browsers and caches out", async () => {
    await withPlane(async (plane) => {
      for (const path of ["/healthz", "/nothing", "/v5/builds"]) {
        const { headers } = await plane.call("GET", path);
        expect(headers.get("x-request-id")).toMatch(/^id-\d+$/u);
        expect(headers.get("cache-control")).toBe("no-store");
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("content-security-policy")).toContain("default-src 'none'");
        expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
      }
    });
  });

  test("to HEAD is the one to GET without its body", async () => {
    await withPlane(async (plane) => {
      const answer = await plane.call("HEAD", "/healthz");
      expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([
        200,
        "12",
        "",
      ]);
    });
  });

  test("has one line with what happened and nothing hostile in it", async () => {
    await withPlane(async (plane) => {
      await plane.call("GET", "/%1b%5b31m::error::x?token=secret");
      expect(JSON.parse(plane.lines[0] ?? "")).toEqual({
        at: "2026-11-21T12:00:00.123000Z",
        request_id: "id-1",
        method: "GET",
        path: "/%1b%5b31m: :error::x",
        status: 404,
        ms: 0,
        actor: "anonymous",
        env: null,
      });
    });
  });

  test("to an inner fault says nothing of it; the operator is told, with the same id", async () => {
    await withPlane(async (plane) => {
      const answer = await plane.call("GET", "/cp/admin/runtime-image", {
        headers: { authorization: `Bearer wb_${"A".repeat(43)}` },
      });
      expect(answer.status).toBe(500);
      expect(await answer.json()).toEqual({ error: "internal error", code: "internal_error" });
      expect(plane.faults).toEqual(["request id-1 failed: the secret inside"]);
    }, broken);
  });
});

describe("health", () => {
  test("needs no token", async () => {
    await withPlane(async (plane) => {
      for (const path of ["/healthz", "/readyz"]) {
        const answer = await plane.call("GET", path);
        expect([answer.status, await answer.json()]).toEqual([200, { ok: true }]);
      }
    });
  });

  test("is not ready when the database takes no write, and writes once a second at most", async () => {
    let writes = 0;
    let works = false;
    const counting = (real: Database): Database => {
      [writes, works] = [0, false];
      return {
        ...real,
        write: (act) => {
          writes++;
          return works ? real.write(act) : Promise.reject(new Error("disk full"));
        },
      };
    };
    await withPlane(async (plane) => {
      const answer = await plane.call("GET", "/readyz");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("5");
      works = true;
      expect((await plane.call("GET", "/readyz")).status).toBe(503);
      expect(writes).toBe(1);
      plane.now = new Date(plane.now.getTime() + 1_000);
      expect((await plane.call("GET", "/readyz")).status).toBe(200);
      expect((await plane.call("GET", "/healthz")).status).toBe(200);
      expect(writes).toBe(2);
    }, counting);
  });
});
