import { describe, expect, test } from "bun:test";
import type { JsonMap } from "../../../src/base/json.ts";
import { apiDocument, isOfApi } from "../../../src/control-plane/api/api-document.ts";
import { OPERATIONS } from "../../../src/control-plane/api/api-operations.ts";
import { SCHEMAS } from "../../../src/control-plane/api/api-schemas.ts";
import { ROUTES } from "../../../src/control-plane/routes.ts";
import { problems } from "./against-api.ts";
import { bodyOf, digestOf, withPlane } from "../plane.ts";

describe("the document of the API", () => {
  const served = ROUTES.filter(isOfApi).map(({ method, path }) => `${method} ${path}`);

  test("describes no route that is not served", () => {
    expect(Object.keys(OPERATIONS).filter((name) => !served.includes(name))).toEqual([]);
  });

  test("describes every route by itself", () => {
    expect(new Set(served).size).toBe(served.length);
    expect(served.filter((name) => OPERATIONS[name] === undefined)).toEqual([]);
  });

  test("has every schema that it names, and names every one that it has", () => {
    const text = JSON.stringify(apiDocument(ROUTES, "0"));
    const named = new Set(
      [...text.matchAll(/#\/components\/schemas\/(\w+)/gu)].map(([, name]) => name ?? ""),
    );
    expect([...named].sort()).toEqual(Object.keys(SCHEMAS).sort());
  });

  test("gives every operation a name of its own that is an identifier", () => {
    const text = JSON.stringify(apiDocument(ROUTES, "0"));
    const ids = [...text.matchAll(/"operationId":"([^"]*)"/gu)].map(([, id]) => id ?? "");
    expect(ids).toHaveLength(served.length);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][a-z0-9_]*$/u.test(id))).toEqual([]);
  });

  test("is served to everybody, with the scope of each operation", async () => {
    await withPlane(async (plane) => {
      const document = await bodyOf<JsonMap>(await plane.call("GET", "/v1/openapi.json"));
      expect(document).toMatchObject({
        openapi: "3.1.0",
        paths: {
          "/v1/freeze": { put: { security: [{ bearer: ["admin"] }] } },
          "/v5/builds": { get: { security: [{ bearer: ["builds:read"] }, { apiKey: ["builds:read"] }] } },
          "/healthz": { get: { security: [] } },
        },
      });
    });
  });

  test("is something that an answer can fail", () => {
    const pin = {
      template_name: "codex",
      region: "global",
      image_digest: digestOf("a"),
      promoted_at: "2026-11-21T12:00:00.123000Z",
      promoted_by: "api-token-00000000",
    };
    const check = (value: JsonMap): number =>
      problems({ $ref: "#/components/schemas/Pin" }, value, "pin").length;
    expect(check(pin)).toBe(0);
    for (const wrong of [
      { ...pin, image_digest: "latest" },
      { ...pin, more: 1 },
      { ...pin, promoted_at: "yesterday" },
      { ...pin, seq: -1 },
      { ...pin, region: null },
      {},
    ]) {
      expect(check(wrong)).toBeGreaterThan(0);
    }
  });
});

describe("an error", () => {
  test("of /v1 is a problem with the older members; of the older routes it is as it was", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const problem = await plane.call("GET", "/v1/pins/codex/global", { token });
      expect(problem.headers.get("content-type")).toBe("application/problem+json");
      expect(await problem.json()).toEqual({
        type: "about:blank",
        title: "Not Found",
        status: 404,
        detail: "there is no such pin",
        instance: expect.stringMatching(/^\/requests\/id-\d+$/u),
        error: "there is no such pin",
        code: "pin_not_found",
        stops: [],
        vetoes: 0,
      });
      const older = await plane.call("GET", "/v5/builds/none", { token });
      expect(older.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(Object.keys((await older.json()) as object)).toEqual(["error", "code"]);
    });
  });
});
