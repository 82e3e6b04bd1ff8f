import { describe, expect, test } from "bun:test";
import { ask } from "../ask.ts";
import { withPlane, type Plane } from "../plane.ts";

type Page = {
  readonly packages: readonly { addon_id: string; version: string; artifacts: object }[];
  readonly next_after: string | null;
};
type Listed = readonly [names: readonly string[], next: string | null];

async function publish(plane: Plane, id: string, version: string, more: object = {}): Promise<void> {
  const token = await plane.token(["addons:write"]);
  const json = { addon_id: id, version, binary: "program", ...more };
  expect((await ask(plane, "POST", "/v1/addons/packages", { token, json })).status).toBe(200);
}

/** The packages of a page, each with its platforms. */
async function listed(plane: Plane, query: string): Promise<Listed> {
  const token = await plane.token(["addons:read"]);
  const { status, body } = await ask(plane, "GET", `/v1/addons/packages?${query}`, { token });
  expect(status).toBe(200);
  const { packages, next_after } = body as Page;
  const names = packages.map(({ addon_id, version, artifacts }) =>
    [`${addon_id}@${version}`, ...Object.keys(artifacts)].join(" "),
  );
  return [names, next_after];
}

async function pages(plane: Plane, limit: number): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  for (let after: string | null = ""; after !== null;) {
    const [names, next]: Listed = await listed(
      plane,
      `limit=${limit}${after === "" ? "" : `&after=${after}`}`,
    );
    all.push(names);
    after = next;
  }
  return all;
}

describe("the list of packages", () => {
  test("comes in pages, by id and then version, and of one add-on or version alone", async () => {
    await withPlane(async (plane) => {
      const amd64 = { artifacts: { "linux/amd64": { object_key: "x" } } };
      await publish(plane, "b", "2", amd64);
      for (const id of ["B", "a", "b-c", "c"]) await publish(plane, id, "1");
      await publish(plane, "b", "10");
      const all = ["B@1", "a@1", "b@10", "b@2 linux/amd64", "b-c@1", "c@1"];
      expect(await listed(plane, "")).toEqual([all, null]);
      expect(await pages(plane, 4)).toEqual([all.slice(0, 4), all.slice(4)]);
      expect(await pages(plane, 3)).toEqual([all.slice(0, 3), all.slice(3), []]);
      // The cursor is a place in the order and need not be there.
      expect(await listed(plane, "after=b@11")).toEqual([all.slice(3), null]);
      expect(await listed(plane, "addon_id=b")).toEqual([all.slice(2, 4), null]);
      expect(await listed(plane, "addon_id=b&after=b@10&limit=1")).toEqual([["b@2 linux/amd64"], "b@2"]);
      expect(await listed(plane, "addon_id=b&version=2")).toEqual([["b@2 linux/amd64"], null]);
      expect(await listed(plane, "addon_id=b&version=3")).toEqual([[], null]);
    });
  });

  test("has a hundred on a page that does not say how many, and a thousand at most", async () => {
    await withPlane(async (plane) => {
      for (let at = 0; at < 101; at++) await publish(plane, "a", `${1_000 + at}`);
      const [names, next] = await listed(plane, "");
      expect([names.length, next]).toEqual([100, "a@1099"]);
      expect((await listed(plane, "limit=1000"))[0]).toHaveLength(101);
    });
  });

  test("has shorter pages where configurations or statements are long", async () => {
    await withPlane(async (plane) => {
      const config_json = { text: "x".repeat(1_000_000) };
      const entry = { object_key: "x", statement: JSON.stringify({ text: "x".repeat(65_000) }) };
      const artifacts = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`linux/a${at}`, entry]));
      for (const version of ["1", "2", "3"]) {
        await publish(plane, "configured", version, { config_json });
        await publish(plane, "signed", version, { artifacts });
      }
      const names = (await pages(plane, 1_000)).map((page) => page.map((one) => one.split(" ")[0]));
      expect(names).toEqual([
        ["configured@1", "configured@2", "configured@3", "signed@1"],
        ["signed@2", "signed@3"],
      ]);
    });
  });

  test.each([
    "after=",
    "after=b",
    "after=b@",
    "after=@1",
    "after=b@1@2",
    "limit=0",
    "limit=1001",
    "version=",
  ])("for %s is 400", async (query) => {
    await withPlane(async (plane) => {
      const token = await plane.token(["addons:read"]);
      const answer = await ask(plane, "GET", `/v1/addons/packages?${query}`, { token });
      expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
    });
  });
});
