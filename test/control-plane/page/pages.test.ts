import { describe, expect, test } from "bun:test";
import { readBuildForm } from "../../../src/control-plane/builds/build-form.ts";
import { addBuild } from "../../../src/control-plane/builds/builds.ts";
import { archive, bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";
import { envelope } from "./signed.ts";
import { A, HOSTILE, look, promote } from "./visit.ts";

const VERSION = { version: "1.0.0", digest: A };

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
    const token = await plane.token(["admin", "audit:read"], "prod", null, { name: HOSTILE });
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

  test("an administrator sees the environment that they administer, and all with the scope that sees all", async () => {
    await withPlane(async (plane) => {
      await furnished(plane);
      const b = digestOf("b").slice(7, 19);
      for (const [scopes, sees] of [
        [["admin"], false],
        [["pins:read"], false],
        [["admin", "audit:read"], true],
        [["pins:read", "audit:read"], true],
      ] as const) {
        const token = await plane.token(scopes, "prod");
        const board = await (await look(plane, "/", token)).text();
        const events = await (await look(plane, "/events", token)).text();
        expect([scopes, board.includes(b), events.includes("in staging")]).toEqual([scopes, sees, sees]);
        expect((await look(plane, "/pins/staging/codex/global", token)).status).toBe(sees ? 200 : 404);
      }
      const auditor = await plane.token(["audit:read"]);
      const [board, events] = [await look(plane, "/", auditor), await look(plane, "/events", auditor)];
      expect((await board.text()).includes(b)).toBe(false);
      expect(await events.text()).toContain("build.record");
    });
  });

  test.each(["/", "/builds", "/hosts", "/events", "/search?q=codex"])(
    "%s shows nothing to a token that reads nothing",
    async (path) => {
      await withPlane(async (plane) => {
        const reader = await furnished(plane);
        expect(await (await look(plane, path, reader)).text()).toContain(A.slice(7, 19));
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
