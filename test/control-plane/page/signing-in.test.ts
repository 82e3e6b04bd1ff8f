import { describe, expect, test } from "bun:test";
import { Failure } from "../../../src/base/failure.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { withPlane, type Plane } from "../plane.ts";
import { A, HOSTILE, look, promote } from "./visit.ts";

function signIn(
  plane: Plane,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return plane.call("POST", "/sign-in", {
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

describe("signing in", () => {
  test("a stranger is led to the form, from where they wanted to go", async () => {
    await withPlane(async (plane) => {
      const answer = await plane.call("GET", "/pins/prod/codex/global");
      expect([answer.status, answer.headers.get("location")]).toEqual([
        303,
        "/sign-in?to=%2Fpins%2Fprod%2Fcodex%2Fglobal",
      ]);
      const form = await plane.call("GET", "/sign-in?to=%2Fhosts");
      expect(await form.text()).toContain('name="to" value="/hosts"');
      expect(await plane.events()).toEqual([]);
    });
  });

  test("with a token starts a session that no script and no other site sees", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const answer = await signIn(plane, { token, to: "/events" });
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/events"]);
      expect(answer.headers.get("set-cookie")).toBe(
        `waybill=${token}; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict`,
      );
    });
  });

  const elsewhere = [
    "//other.example/",
    "/\\other.example",
    "https://other.example/",
    "javascript:alert(1)",
    "/a\r\nb: c",
  ];
  test.each(elsewhere)("never leads to %p", async (to) => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      expect((await signIn(plane, { token, to })).headers.get("location")).toBe("/");
      const form = await plane.call("GET", `/sign-in?to=${encodeURIComponent(to)}`);
      expect(await form.text()).toContain('name="to" value="/"');
    });
  });

  const refused: [string, (plane: Plane) => Promise<Response>, number][] = [
    ["without a token", (plane) => signIn(plane, {}), 401],
    ["with text that is no token", (plane) => signIn(plane, { token: HOSTILE }), 401],
    ["with an unknown token", (plane) => signIn(plane, { token: `wb_${"a".repeat(43)}` }), 401],
    [
      "with an expired token",
      async (plane) =>
        signIn(plane, { token: await plane.token(["pins:read"], "prod", "2026-11-21T11:59:59Z") }),
      401,
    ],
    [
      "from a form of another site",
      async (plane) =>
        signIn(plane, { token: await plane.token(["pins:read"]) }, { "sec-fetch-site": "cross-site" }),
      403,
    ],
    [
      "from another origin, by a browser that says no more",
      async (plane) =>
        signIn(
          plane,
          { token: await plane.token(["pins:read"]) },
          { origin: "https://other.example", host: "plane.test" },
        ),
      403,
    ],
    ["with more than a form", (plane) => signIn(plane, { token: "a".repeat(10_000) }), 413],
    ["with JSON", (plane) => plane.call("POST", "/sign-in", { json: { token: "x" } }), 415],
  ];
  test.each(refused)("%s is refused by a page, and starts nothing", async (_name, ask, status) => {
    await withPlane(async (plane) => {
      const answer = await ask(plane);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([
        status,
        "text/html; charset=utf-8",
      ]);
      // What ends a session is a token that opens nothing, not what another site sends.
      const cookie = answer.headers.get("set-cookie");
      expect(cookie?.includes("Max-Age=0") ?? false).toBe(status === 401);
      expect(cookie ?? "").not.toContain("wb_");
      const text = await answer.text();
      expect([text.includes('role="alert"'), text.includes("<script")]).toEqual([true, false]);
    });
  });

  test("a bad token is on record, and the token is not", async () => {
    await withPlane(async (plane) => {
      const token = `wb_${"a".repeat(43)}`;
      await signIn(plane, { token });
      const [event] = await plane.events();
      expect([event?.decision, event?.subject]).toEqual(["denied", "/sign-in"]);
      expect(JSON.stringify([await plane.events(), plane.lines])).not.toContain(token);
    });
  });

  test("signing out ends the session", async () => {
    await withPlane(async (plane) => {
      const answer = await plane.call("POST", "/sign-out", {});
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/sign-in"]);
      expect(answer.headers.get("set-cookie")).toContain("Max-Age=0");
    });
  });

  test("a form of another site signs nobody out", async () => {
    await withPlane(async (plane) => {
      const headers = { "sec-fetch-site": "cross-site", cookie: `waybill=${await plane.token(["admin"])}` };
      const answer = await plane.call("POST", "/sign-out", { headers });
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([403, null]);
    });
  });
});

describe("a session", () => {
  test("reads what its token reads, also through the API", async () => {
    await withPlane(async (plane) => {
      await promote(plane, "default", {});
      const token = await plane.token(["pins:read"]);
      expect((await look(plane, "/v1/pins/codex/global", token)).status).toBe(200);
      expect((await look(plane, "/v5/builds", token)).status).toBe(403);
    });
  });

  test("changes nothing: a form of another page cannot use it", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["admin"]);
      const answer = await plane.call("POST", "/cp/admin/runtime-image/promote", {
        headers: { cookie: `waybill=${token}` },
        json: { template_name: "codex", image_digest: A },
      });
      expect(answer.status).toBe(401);
    });
  });

  test("is not ended by a database that is away", async () => {
    const away = { on: false };
    const wrap = (real: Database): Database => ({
      ...real,
      read: (act) =>
        away.on
          ? Promise.reject(new Failure("storage_failed", "the database does not answer"))
          : real.read(act),
    });
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      away.on = true;
      const answer = await look(plane, "/", token);
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([503, null]);
    }, wrap);
  });

  test("ends with its token", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"], "prod", "2026-11-21T12:30:00Z");
      expect((await look(plane, "/", token)).status).toBe(200);
      plane.now = new Date("2026-11-21T12:30:00Z");
      const answer = await look(plane, "/", token);
      expect([answer.status, answer.headers.get("set-cookie")?.includes("Max-Age=0")]).toEqual([401, true]);
    });
  });
});
