import { describe, expect, test } from "bun:test";
import { parseSelector, selects, selectorText } from "../../../src/control-plane/hosts/labels.ts";
import { ask, type Answer } from "../ask.ts";
import { bodyOf, withPlane, type Plane } from "../plane.ts";

describe("a selector", () => {
  test("has one spelling, whatever the order", () => {
    const selector = parseSelector("zone=a,role=edge");
    expect(selectorText(selector)).toBe("role=edge,zone=a");
    expect(selectorText(parseSelector("role=edge,zone=a"))).toBe("role=edge,zone=a");
  });

  test.each([
    "",
    "role",
    "role=",
    "=edge",
    "role=edge,role=core",
    "role=a=b",
    "ROLE=edge",
    "role=*",
    "role=a,",
  ])("%p is none", (text) => {
    expect(() => parseSelector(text)).toThrow();
  });

  test.each([
    [{ role: "edge" }, { role: "edge", zone: "a" }, true],
    [{ role: "edge", zone: "a" }, { role: "edge" }, false],
    [{ role: "edge" }, { role: "core" }, false],
    [{ constructor: "a" }, {}, false],
  ] as const)("%p of %p: %p", (selector, labels, wanted) => {
    expect(selects(selector, labels)).toBe(wanted);
  });
});

const PACKAGE = { addon_id: "dns", binary: "dns", delivery: "os_package" };
const LIST = "/v1/addons/assignments";

type Fleet = {
  readonly plane: Plane;
  readonly put: (version: string, audience?: object) => Promise<Answer>;
  readonly label: (host: string, labels: object) => Promise<Answer>;
  /** The version of the add-on that a host gets; null for none. */
  readonly got: (host?: string) => Promise<string | null>;
};

async function withFleet(work: (fleet: Fleet) => Promise<void>): Promise<void> {
  await withPlane(async (plane) => {
    const token = await plane.token(["addons:read", "addons:write", "hosts:read"]);
    for (const version of ["1", "2", "3", "4"]) {
      await plane.call("POST", "/v1/addons/packages", { token, json: { ...PACKAGE, version } });
    }
    await work({
      plane,
      put: (version, audience = {}) =>
        ask(plane, "PUT", `${LIST}/dns`, { token, json: { version, ...audience } }),
      label: (host, labels) => ask(plane, "PUT", `/v1/hosts/${host}/labels`, { token, json: { labels } }),
      got: async (host) => {
        const query = `?platform=linux/amd64${host === undefined ? "" : `&host=${host}`}`;
        const answer = await plane.call("GET", `${LIST}${query}`, { token });
        const { addons } = await bodyOf<{ addons: { version: string }[] }>(answer);
        return addons[0]?.version ?? null;
      },
    });
  });
}

describe("an assignment by label", () => {
  test("reaches the hosts that have the labels, from the moment that they have them", async () => {
    await withFleet(async ({ put, label, got }) => {
      expect((await put("1", { selector: { zone: "a", role: "edge" } })).body).toMatchObject({
        selector: { role: "edge", zone: "a" },
      });
      expect(await got("web-1")).toBeNull();
      expect((await label("web-1", { role: "edge" })).status).toBe(200);
      expect(await got("web-1")).toBeNull();
      await label("web-1", { role: "edge", zone: "a" });
      expect(await got("web-1")).toBe("1");
      expect(await got("web-2")).toBeNull();
      // Nor whoever does not say who it is.
      expect(await got()).toBeNull();
      await label("web-1", {});
      expect(await got("web-1")).toBeNull();
    });
  });

  test.each(["host=web-1", "selector=role=edge"])("is not meant by ?%s, which is refused", async (query) => {
    await withFleet(async ({ plane, got }) => {
      const token = await plane.token(["addons:write"]);
      const json = { version: "1" };
      const answer = await ask(plane, "PUT", `${LIST}/dns?${query}`, { token, json });
      expect([answer.status, answer.body["code"]]).toEqual([400, "invalid_query"]);
      expect(await got("web-2")).toBeNull();
    });
  });

  test("stands between the general one and the host's own; more labels are nearer", async () => {
    await withFleet(async ({ plane, put, label, got }) => {
      await label("web-1", { role: "edge", zone: "a" });
      await put("1");
      expect(await got("web-1")).toBe("1");
      await put("2", { selector: { role: "edge" } });
      expect(await got("web-1")).toBe("2");
      await put("3", { selector: { zone: "a", role: "edge" } });
      expect(await got("web-1")).toBe("3");
      await put("4", { host: "web-1" });
      expect(await got("web-1")).toBe("4");
      expect(await got("web-2")).toBe("1");
      const token = await plane.token(["addons:read", "addons:write"]);
      const list = await ask(plane, "GET", `${LIST}/dns`, { token });
      expect(list.body["assignments"]).toHaveLength(4);
      await plane.call("DELETE", `${LIST}/dns?host=web-1`, { token });
      // In any order of the labels.
      await plane.call("DELETE", `${LIST}/dns?selector=zone=a,role=edge`, { token });
      expect(await got("web-1")).toBe("2");
    });
  });

  test("of two that are as near the one that is spelled first wins, in either order of time", async () => {
    for (const turned of [false, true]) {
      await withFleet(async ({ put, label, got }) => {
        await label("web-1", { role: "edge", zone: "a" });
        const both = [
          () => put("1", { selector: { role: "edge" } }),
          () => put("2", { selector: { zone: "a" } }),
        ];
        for (const one of turned ? both.toReversed() : both) await one();
        expect(await got("web-1")).toBe("1");
      });
    }
  });

  test.each([
    ["no label", { selector: {} }],
    ["a host too", { selector: { role: "edge" }, host: "web-1" }],
    ["a pattern", { selector: { role: "*" } }],
    ["a list", { selector: ["role"] }],
  ])("with %s is 400", async (_what, audience) => {
    await withFleet(async ({ put }) => {
      expect((await put("1", audience)).status).toBe(400);
    });
  });
});

describe("labels", () => {
  test("are changed by whoever assigns add-ons, never by the host itself, and each change is an event", async () => {
    await withFleet(async ({ plane, label }) => {
      await label("web-1", { role: "edge" });
      await label("web-1", { role: "edge" });
      await label("web-1", { role: "core" });
      const events = await plane.events("action = 'host.label'");
      expect(events.map(({ before_json, after_json }) => [before_json, after_json])).toEqual([
        ["{}", '{"role":"edge"}'],
        ['{"role":"edge"}', '{"role":"core"}'],
      ]);
      const path = "/v1/hosts/web-1/labels";
      const json = { labels: { role: "edge" } };
      const reporter = await plane.token(["hosts:report", "hosts:read", "addons:read"]);
      expect((await plane.call("PUT", path, { token: reporter, json })).status).toBe(403);
      const confined = await plane.token(["addons:write"], "default", null, { hosts: ["web-1"] });
      expect((await plane.call("PUT", path, { token: confined, json })).status).toBe(403);
      const selector = { version: "1", selector: { role: "core" } };
      expect((await plane.call("PUT", `${LIST}/dns`, { token: confined, json: selector })).status).toBe(403);
      expect((await ask(plane, "GET", path, { token: reporter })).body).toEqual({
        host: "web-1",
        labels: { role: "core" },
      });
    });
  });
});
