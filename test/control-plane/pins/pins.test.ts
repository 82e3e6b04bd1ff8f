import { describe, expect, test } from "bun:test";
import { bodyOf, digestOf, withPlane } from "../plane.ts";

const PROMOTE = "/cp/admin/runtime-image/promote";
const LIST = "/cp/admin/runtime-image";
const DIGEST = digestOf("a");
type Listed = { readonly pins: readonly Readonly<Record<string, string>>[] };
const ROW = { template_name: "codex", image_digest: DIGEST };

describe("promote", () => {
  test("answers the row, and the list has it", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read", "pins:write"]);
      const answer = await plane.call("POST", PROMOTE, {
        token,
        json: { ...ROW, git_sha: "0123abc", notes: "from CI", promoted_by: "me", extra: [1] },
      });
      expect(answer.status).toBe(200);
      const row = {
        template_name: "codex",
        region: "global",
        image_digest: DIGEST,
        git_sha: "0123abc",
        notes: "from CI",
        promoted_at: "2026-11-21T12:00:00.123000Z",
        promoted_by: expect.stringMatching(/^api-token-[0-9a-f]{8}$/u),
      };
      expect(await answer.json()).toEqual(row);
      expect(await (await plane.call("GET", LIST, { token })).json()).toEqual({ pins: [row] });
    });
  });

  test("again puts a new row in place of the old one, whole", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["admin"]);
      await plane.call("POST", PROMOTE, { token, json: { ...ROW, git_sha: "0123abc", notes: "n" } });
      plane.now = new Date("2026-11-21T13:00:00Z");
      await plane.call("POST", PROMOTE, { token, json: { ...ROW, image_digest: digestOf("b") } });
      const { pins } = await bodyOf<Listed>(await plane.call("GET", LIST, { token }));
      expect(pins).toEqual([
        {
          template_name: "codex",
          region: "global",
          image_digest: digestOf("b"),
          promoted_at: "2026-11-21T13:00:00.000000Z",
          promoted_by: expect.any(String),
        },
      ]);
      const events = await plane.events();
      expect(events.map((one) => [one.action, one.decision, one.subject, one.env])).toEqual([
        ["pin.promote", "allowed", "codex/global", "default"],
        ["pin.promote", "allowed", "codex/global", "default"],
      ]);
      expect(events[0]?.before_json).toBeNull();
      expect(JSON.parse(events[1]?.before_json ?? "")).toMatchObject({ image_digest: DIGEST, notes: "n" });
      expect(JSON.parse(events[1]?.after_json ?? "")).toMatchObject({ image_digest: digestOf("b") });
      expect(events[1]?.actor).toMatch(/^api-token-[0-9a-f]{8}$/u);
      expect(events[1]?.request_id).toStartWith("id-");
    });
  });

  test("lists by template and then region, of the token's environment alone", async () => {
    await withPlane(async (plane) => {
      const prod = await plane.token(["admin"], "prod");
      const staging = await plane.token(["admin"], "staging");
      for (const [template_name, region] of [
        ["b", "global"],
        ["a", "us"],
        ["a", "eu"],
        ["a-b", "eu"],
      ]) {
        await plane.call("POST", PROMOTE, { token: prod, json: { ...ROW, template_name, region } });
      }
      const { pins } = await bodyOf<Listed>(await plane.call("GET", LIST, { token: prod }));
      expect(pins.map((pin) => `${pin["template_name"]}/${pin["region"]}`)).toEqual([
        "a/eu",
        "a/us",
        "a-b/eu",
        "b/global",
      ]);
      expect(await (await plane.call("GET", LIST, { token: staging })).json()).toEqual({ pins: [] });
    });
  });
});

describe("a promotion that is refused", () => {
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ["no digest", { template_name: "codex" }, "invalid_field", "image_digest must be sha256:<64 hex>"],
    ["a tag", { ...ROW, image_digest: "latest" }, "invalid_field", "image_digest must be sha256:<64 hex>"],
    [
      "bare hex",
      { ...ROW, image_digest: DIGEST.slice(7) },
      "invalid_field",
      "image_digest must be sha256:<64 hex>",
    ],
    [
      "upper case",
      { ...ROW, image_digest: DIGEST.toUpperCase() },
      "invalid_field",
      "image_digest must be sha256:<64 hex>",
    ],
    [
      "a line break",
      { ...ROW, image_digest: `${DIGEST}\n` },
      "invalid_field",
      "image_digest must be sha256:<64 hex>",
    ],
    ["a number", { ...ROW, image_digest: 1 }, "invalid_field", "image_digest must be a string"],
    ["no template", { image_digest: DIGEST }, "invalid_field", "template_name is required"],
    ["a path", { ...ROW, template_name: "../x" }, "invalid_field", "template_name must match ^[a-z0-9_-]+$"],
    [
      "capitals",
      { ...ROW, template_name: "Codex" },
      "invalid_field",
      "template_name must match ^[a-z0-9_-]+$",
    ],
    ["long notes", { ...ROW, notes: "é".repeat(501) }, "invalid_field", "notes must be <= 500 chars"],
    ["a short sha", { ...ROW, git_sha: "123abc" }, "invalid_field", "git_sha must be 7..40 lower-case hex"],
    ["41 hex", { ...ROW, git_sha: "a".repeat(41) }, "invalid_field", "git_sha must be 7..40 lower-case hex"],
    ["a word", { ...ROW, git_sha: "HEAD" }, "invalid_field", "git_sha must be 7..40 lower-case hex"],
    ["a bad region", { ...ROW, region: "us east" }, "invalid_field", "region must match ^[a-z0-9_-]+$"],
    ["a list", [ROW], "invalid_json", "the body must be a JSON object"],
  ];
  for (const [name, json, code, error] of cases) {
    test(name, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["pins:write", "pins:read"]);
        const answer = await plane.call("POST", PROMOTE, { token, json });
        expect(answer.status).toBe(400);
        expect(await answer.json()).toEqual({ error, code });
        expect(await (await plane.call("GET", LIST, { token })).json()).toEqual({ pins: [] });
      });
    });
  }

  const bodies: readonly (readonly [string, string, RegExp])[] = [
    ["no body", "", /ends early/u],
    ["a form", "template_name=codex", /no JSON value/u],
    ["a member twice", `{"image_digest":"${DIGEST}","image_digest":"x"}`, /second member "image_digest"/u],
    ["more after it", "{} {}", /more text after the value/u],
  ];
  for (const [name, body, error] of bodies) {
    test(name, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["pins:write"]);
        const answer = await plane.call("POST", PROMOTE, { token, body });
        expect(answer.status).toBe(400);
        expect(await answer.json()).toEqual({ code: "invalid_json", error: expect.stringMatching(error) });
      });
    });
  }

  test("a body above 1 MiB, declared or not", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:write"]);
      const big = JSON.stringify({ ...ROW, padding: "x".repeat(1_048_576) });
      const streamed = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(big));
          controller.close();
        },
      });
      for (const body of [big, streamed]) {
        const answer = await plane.call("POST", PROMOTE, { token, body });
        expect(answer.status).toBe(413);
        expect(await answer.json()).toEqual({
          code: "too_large",
          error: "the body must be <= 1048576 bytes",
        });
      }
    });
  });
});

describe("a promotion at the edge of what is taken", () => {
  const cases: readonly (readonly [string, object])[] = [
    ["500 notes of two code units", { notes: "😀".repeat(500) }],
    ["7 hex", { git_sha: "0123abc" }],
    ["40 hex", { git_sha: "a".repeat(40) }],
    ["64 hex", { git_sha: "a".repeat(64) }],
    ["empty members of variables that are not set", { git_sha: "", notes: "", region: "" }],
    ["null members", { git_sha: null, notes: null, region: null }],
    ["a member named __proto__", JSON.parse('{"__proto__":{"region":"eu"}}')],
  ];
  for (const [name, members] of cases) {
    test(name, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["pins:write"]);
        const answer = await plane.call("POST", PROMOTE, { token, json: { ...ROW, ...members } });
        expect(answer.status).toBe(200);
        expect(await answer.json()).toMatchObject({ region: "global", image_digest: DIGEST });
      });
    });
  }
});
