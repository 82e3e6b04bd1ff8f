import { describe, expect, test } from "bun:test";
import { Failure } from "../../../src/base/failure.ts";
import { readBuildForm } from "../../../src/control-plane/builds/build-form.ts";
import { addBuild } from "../../../src/control-plane/builds/builds.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { archive, bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";
import { envelope } from "./signed.ts";

const A = digestOf("a");
const VERSION = { version: "1.0.0", digest: A };
const HOSTILE = `<script>alert(1)</script>"'&\u202e`;

function look(
  plane: Plane,
  path: string,
  token: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return plane.call("GET", path, { headers: { cookie: `waybill=${token}`, ...headers } });
}

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

async function promote(plane: Plane, env: string, members: object): Promise<void> {
  const token = await plane.token(["pins:write"], env);
  const answer = await plane.call("POST", "/cp/admin/runtime-image/promote", {
    token,
    json: { template_name: "codex", image_digest: A, ...members },
  });
  expect(answer.status).toBe(200);
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

describe("pages", () => {
  const PAGES = [
    "/",
    "/pins/prod/codex/global",
    `/digests/${A}`,
    "/builds",
    "/hosts",
    "/events",
    "/search?q=codex",
  ];

  async function furnished(plane: Plane): Promise<string> {
    await promote(plane, "prod", { notes: HOSTILE, git_sha: "0123abc" });
    await promote(plane, "staging", { image_digest: digestOf("b") });
    const form = new FormData();
    form.set("context_archive", archive("x"), "context.tar.gz");
    for (const [name, value] of Object.entries({
      image_name: "codex",
      agent_name: "codex",
      image_digest: A,
      source_ref: HOSTILE,
      source_commit: "0123abc",
    }))
      form.set(name, value);
    const token = await plane.token(["admin"], "prod", null, { name: HOSTILE });
    await plane.call("POST", "/v5/builds", { token, body: form });
    const failing = {
      ...{ addon_id: "dns", state: "unhealthy", has: VERSION, offered: null, last_known_good: null },
      ...{ on_trial: true, blocked: [], last_error: HOSTILE },
    };
    await plane.call("PUT", "/v1/hosts/web-1/status", {
      token,
      json: { platform: "linux/amd64", addons: [failing] },
    });
    const { version } = await bodyOf<{ version: number }>(
      await plane.call("GET", "/v1/pins/codex/global", { token }),
    );
    const receipt = {
      template: "codex",
      region: "global",
      digest: A,
      version,
      run_url: HOSTILE,
      actor: HOSTILE,
    };
    const kept = await plane.call("POST", "/v1/pins/codex/global/receipts", {
      token,
      headers: { "if-match": `"${version}"` },
      json: envelope("promotion/v1", receipt, HOSTILE),
    });
    expect(kept.status).toBe(200);
    return token;
  }

  test.each(PAGES)(
    "%s is a whole document without a script, in which nothing foreign is markup",
    async (path) => {
      await withPlane(async (plane) => {
        const answer = await look(plane, path, await furnished(plane));
        const text = await answer.text();
        expect([answer.status, answer.headers.get("content-type")]).toEqual([
          200,
          "text/html; charset=utf-8",
        ]);
        expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
        expect(answer.headers.get("content-security-policy")).not.toContain("unsafe");
        expect(answer.headers.get("cache-control")).toBe("no-store");
        expect(text).not.toMatch(/<script|\son\w+=|style="|\u202e/u);
        expect(text).toMatch(/^\s*<!doctype html>[^]*<title>[^]*<main id="content">[^]*<\/html>\s*$/u);
        expect(plane.faults).toEqual([]);
      });
    },
  );

  test("the board shows drift, the commit and the build", async () => {
    await withPlane(async (plane) => {
      const text = await (await look(plane, "/", await furnished(plane))).text();
      for (const wanted of [
        "differs",
        "0123abc",
        "cleanness unknown",
        "no build record",
        "/pins/prod/codex/global",
      ])
        expect(text).toContain(wanted);
    });
  });

  test("the board knows the build of a pin, however many came after it", async () => {
    await withPlane(async (plane) => {
      await promote(plane, "prod", {});
      const record = (at: number, image_digest: string): Promise<unknown> => {
        const form = readBuildForm(
          new Map(Object.entries({ image_name: "i", agent_name: "a", image_digest })),
        );
        const by = { actor: "test", env: "prod", at: "2026-11-21T12:00:00.000000Z", requestId: null };
        const kept = { sha256: A.slice(7), bytes: 1 };
        return addBuild(plane.database, "prod", `b-${at}`, form, kept, by, null);
      };
      await record(0, A);
      await Promise.all(Array.from({ length: 500 }, (_, at) => record(at + 1, digestOf(String(at)))));
      const text = await (await look(plane, "/", await plane.token(["admin"], "prod"))).text();
      expect([text.includes(A.slice(7, 19)), text.includes("no build record")]).toEqual([true, false]);
    });
  });

  test.each(["/search?q=%00", "/hosts?after=%00&env=%00", "/events?before=%00"])(
    "%s is a page like any other",
    async (path) => {
      await withPlane(async (plane) => {
        expect((await look(plane, path, await plane.token(["admin"]))).status).toBe(200);
      });
    },
  );

  test("a token of one environment sees that one", async () => {
    await withPlane(async (plane) => {
      await furnished(plane);
      const token = await plane.token(["pins:read"], "staging");
      const text = await (await look(plane, "/", token)).text();
      expect([text.includes(digestOf("b").slice(7, 19)), text.includes(A.slice(7, 19))]).toEqual([
        true,
        false,
      ]);
      expect((await look(plane, "/pins/prod/codex/global", token)).status).toBe(404);
      const events = await (await look(plane, "/events", token)).text();
      expect(events).not.toContain("in prod");
      // Who may make tokens is nobody's business who only looks at pins.
      expect([events.includes("pin.promote"), events.includes("token.new")]).toEqual([true, false]);
    });
  });

  test.each(["/", "/builds", "/hosts", "/events", "/search?q=codex"])(
    "%s shows nothing to a token that reads nothing",
    async (path) => {
      await withPlane(async (plane) => {
        await furnished(plane);
        const text = await (await look(plane, path, await plane.token(["pins:write"], "prod"))).text();
        expect(text).not.toContain(A.slice(7, 19));
      });
    },
  );

  test("a token that is confined to names sees those", async () => {
    await withPlane(async (plane) => {
      await furnished(plane);
      const bounds = { templates: ["hermes"], repos: ["git.example.com/other"], hosts: ["h"] };
      const scopes = ["pins:read", "builds:read", "addons:read"] as const;
      for (const token of [
        await plane.token(scopes, "prod", null, bounds),
        await plane.token(["admin"], "prod", null, bounds),
      ]) {
        for (const path of PAGES.filter((one) => one.split("/").length < 3)) {
          const text = await (await look(plane, path, token)).text();
          expect([path, /codex(?!")/u.test(text.replace("q=codex", ""))]).toEqual([
            path,
            path.startsWith("/search"),
          ]);
          expect([path, text.includes(A.slice(7, 19))]).toEqual([path, false]);
        }
        expect((await look(plane, "/pins/prod/codex/global", token)).status).toBe(404);
      }
    });
  });

  test("an administrator who is confined to hosts sees no event about others", async () => {
    await withPlane(async (plane) => {
      await furnished(plane);
      for (const [bounds, sees] of [
        [{}, true],
        [{ hosts: ["web-2"] }, false],
        [{ repos: ["git.example.com/other"] }, false],
      ] as const) {
        const token = await plane.token(["admin"], "prod", null, bounds);
        const text = await (await look(plane, "/events", token)).text();
        expect([text.includes("web-1"), text.includes("build.record")]).toEqual([sees, sees]);
        expect(text).toContain("pin.promote");
      }
    });
  });

  test("what is not there is a page that says so", async () => {
    await withPlane(async (plane) => {
      const token = await furnished(plane);
      for (const path of ["/pins/prod/none/global", "/digests/x", "/builds/x"]) {
        const answer = await look(plane, path, token);
        expect([path, answer.status, (await answer.text()).includes("What runs where")]).toEqual([
          path,
          404,
          true,
        ]);
      }
    });
  });

  test("history goes on where the page before ended", async () => {
    await withPlane(async (plane) => {
      const token = await furnished(plane);
      for (let seq = 0; seq < 101; seq++) await promote(plane, "prod", { seq });
      const text = await (await look(plane, "/events", token)).text();
      const older = /href="(\/events\?before=\d+)"/u.exec(text)?.[1];
      expect(older).toBeString();
      expect((await look(plane, older ?? "", token)).status).toBe(200);
    });
  });

  test("the style sheet is named by its content and may be kept", async () => {
    await withPlane(async (plane) => {
      const text = await (await plane.call("GET", "/sign-in")).text();
      const sheet = await plane.call("GET", /href="(\/style-[0-9a-f]{12}\.css)"/u.exec(text)?.[1] ?? "");
      expect([sheet.status, sheet.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
    });
  });
});
