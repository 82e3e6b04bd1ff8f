import { describe, expect, test } from "bun:test";
import { ask } from "../ask.ts";
import { digestOf, withPlane, type Plane } from "../plane.ts";

type Page = {
  readonly pins: readonly { template_name: string; region: string }[];
  readonly next_after: string | null;
};
type Listed = readonly [names: readonly string[], next: string | null];

async function pin(plane: Plane, ...places: readonly string[]): Promise<void> {
  const token = await plane.token(["pins:write"]);
  for (const place of places) {
    const json = { image_digest: digestOf("a") };
    const headers = { "if-none-match": "*" };
    expect((await ask(plane, "PUT", `/v1/pins/${place}`, { token, headers, json })).status).toBe(200);
  }
}

async function listed(plane: Plane, query: string, templates: string[] | null = null): Promise<Listed> {
  const token = await plane.token(["pins:read"], "default", null, { templates });
  const { status, body } = await ask(plane, "GET", `/v1/pins?${query}`, { token });
  expect(status).toBe(200);
  const { pins, next_after } = body as Page;
  return [pins.map(({ template_name, region }) => `${template_name}/${region}`), next_after];
}

async function pages(plane: Plane, query: string, templates: string[] | null = null): Promise<string[][]> {
  const all: string[][] = [];
  for (let after: string | null = ""; after !== null;) {
    const [names, next]: Listed = await listed(
      plane,
      `${query}${after === "" ? "" : `&after=${after}`}`,
      templates,
    );
    all.push([...names]);
    after = next;
  }
  return all;
}

describe("the list of pins with their versions", () => {
  test("comes in pages, by template and then region, of those that are asked for and allowed", async () => {
    await withPlane(async (plane) => {
      await pin(plane, "b/global", "b-c/global", "a/global", "b/eu", "b_c/eu");
      const all = ["a/global", "b/eu", "b/global", "b-c/global", "b_c/eu"];
      expect(await listed(plane, "")).toEqual([all, null]);
      expect(await pages(plane, "limit=2")).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
      expect(await pages(plane, "limit=5")).toEqual([all, []]);
      // The cursor is a place in the order and need not be there.
      expect(await listed(plane, "after=b/f")).toEqual([all.slice(2), null]);
      expect(await pages(plane, "template=b&limit=1")).toEqual([["b/eu"], ["b/global"], []]);
      expect(await pages(plane, "region=eu&limit=1")).toEqual([["b/eu"], ["b_c/eu"], []]);
      // A page is filled with what the token may see: no short page tells what lies between.
      expect(await pages(plane, "limit=1", ["a", "b_c"])).toEqual([["a/global"], ["b_c/eu"], []]);
      expect(await listed(plane, "template=b", ["a"])).toEqual([[], null]);
    });
  });

  test("has a hundred on a page that does not say how many; the original's list is whole", async () => {
    await withPlane(async (plane) => {
      await pin(plane, ...Array.from({ length: 101 }, (_, at) => `t${1_000 + at}/global`));
      const [names, next] = await listed(plane, "");
      expect([names.length, next]).toEqual([100, "t1099/global"]);
      expect((await listed(plane, "limit=1000"))[0]).toHaveLength(101);
      const token = await plane.token(["pins:read"]);
      const { body } = await ask(plane, "GET", "/cp/admin/runtime-image?limit=1&after=x", { token });
      expect(Object.keys(body as object)).toEqual(["pins"]);
      expect((body as Page).pins).toHaveLength(101);
    });
  });

  test.each([
    "after=",
    "after=b",
    "after=b/",
    "after=/eu",
    "after=b/eu/x",
    "after=a/b&after=c/d",
    "limit=0",
    "limit=1001",
    "limit=+1",
    "template=",
    "region=%00",
  ])("for %s is 400", async (query) => {
    await withPlane(async (plane) => {
      const token = await plane.token(["pins:read"]);
      const answer = await ask(plane, "GET", `/v1/pins?${query}`, { token });
      expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
    });
  });
});
