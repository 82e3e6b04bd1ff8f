import { describe, expect, test } from "bun:test";
import { ask } from "../ask.ts";
import { withPlane, type Plane } from "../plane.ts";

type Page = {
  readonly assignments: readonly { host?: string; selector?: Record<string, string> }[];
  readonly next_after: string | null;
};
type Listed = readonly [audiences: readonly string[], next: string | null];

async function publish(plane: Plane): Promise<void> {
  const token = await plane.token(["addons:write"]);
  const json = { addon_id: "dns", version: "1", binary: "program" };
  expect((await ask(plane, "POST", "/v1/addons/packages", { token, json })).status).toBe(200);
}

async function assign(plane: Plane, ...audiences: readonly object[]): Promise<void> {
  const token = await plane.token(["addons:write"]);
  for (const audience of audiences) {
    const json = { version: "1", ...audience };
    const { status } = await ask(plane, "PUT", "/v1/addons/assignments/dns", { token, json });
    expect(status).toBe(200);
  }
}

async function listed(plane: Plane, query: string, hosts: string[] | null = null): Promise<Listed> {
  const token = await plane.token(["addons:read"], "default", null, { hosts });
  const { status, body } = await ask(plane, "GET", `/v1/addons/assignments/dns?${query}`, { token });
  expect(status).toBe(200);
  const { assignments, next_after } = body as Page;
  return [
    assignments.map(({ host, selector }) => host ?? (selector ? JSON.stringify(selector) : "all")),
    next_after,
  ];
}

async function pages(plane: Plane, limit: number, hosts: string[] | null = null): Promise<string[][]> {
  const all: string[][] = [];
  for (let after: string | null = ""; after !== null;) {
    const [names, next]: Listed = await listed(
      plane,
      `limit=${limit}${after === "" ? "" : `&after=${encodeURIComponent(after)}`}`,
      hosts,
    );
    all.push([...names]);
    after = next;
  }
  return all;
}

describe("the assignments of an add-on", () => {
  test("come in pages, the general one first, and of the token's hosts alone", async () => {
    await withPlane(async (plane) => {
      await publish(plane);
      expect(await listed(plane, "")).toEqual([[], null]);
      await assign(
        plane,
        { host: "web-2" },
        {},
        { selector: { zone: "a", role: "edge" } },
        { host: "web-1" },
        { host: "B" },
      );
      const all = ["all", "B", '{"role":"edge","zone":"a"}', "web-1", "web-2"];
      expect(await listed(plane, "")).toEqual([all, null]);
      expect(await listed(plane, "limit=1")).toEqual([["all"], "*"]);
      expect(await listed(plane, "after=zone%3Da,role%3Dedge")).toEqual([["web-1", "web-2"], null]);
      expect(await pages(plane, 1)).toEqual([...all.map((one) => [one]), []]);
      expect(await pages(plane, 3)).toEqual([all.slice(0, 3), all.slice(3)]);
      expect(await pages(plane, 1, ["web-1", "B"])).toEqual([["B"], ["web-1"], []]);
    });
  });

  test("come a hundred at once, and fewer where their configurations are long", async () => {
    await withPlane(async (plane) => {
      await publish(plane);
      await assign(plane, ...Array.from({ length: 101 }, (_, at) => ({ host: `h${1_000 + at}` })));
      const [names, next] = await listed(plane, "");
      expect([names.length, next]).toEqual([100, "h1099"]);
      const config_json = { text: "x".repeat(1_000_000) };
      await assign(plane, ...[0, 1, 2, 3, 4].map((at) => ({ host: `h${1_000 + at}`, config_json })));
      const lengths = (await pages(plane, 1_000)).map((page) => page.length);
      expect(lengths).toEqual([4, 97]);
    });
  });

  test.each(["after=", "after=%20", "after=**", "after=a%3D", "after=a=b=c", "limit=0", "limit=1001"])(
    "for %s are 400",
    async (query) => {
      await withPlane(async (plane) => {
        const token = await plane.token(["addons:read"]);
        const answer = await ask(plane, "GET", `/v1/addons/assignments/dns?${query}`, { token });
        expect(answer.status).toBe(400);
      });
    },
  );
});
