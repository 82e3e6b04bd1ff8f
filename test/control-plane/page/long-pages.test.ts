import { describe, expect, test } from "bun:test";
import { ask } from "../ask.ts";
import { digestOf, withPlane, type Plane } from "../plane.ts";
import { look } from "./visit.ts";

/** What has more rows than a page: all of them are shown, each once, and a server never holds them all. */

/** Pins each of the templates to the image; at once, since nobody looks meanwhile. */
async function pin(
  plane: Plane,
  env: string,
  templates: readonly string[],
  image: string,
  notes = "",
): Promise<void> {
  const token = await plane.token(["pins:write"], env);
  const answers = templates.map((template_name) =>
    ask(plane, "POST", "/cp/admin/runtime-image/promote", {
      token,
      json: { template_name, image_digest: digestOf(image), notes },
    }),
  );
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
}

/** The pages from this one on, by the link that says so. */
async function pages(plane: Plane, from: string, link: RegExp, token: string): Promise<string[]> {
  const all: string[] = [];
  for (let at: string | undefined = from; at !== undefined;) {
    const answer = await look(plane, at, token);
    expect(answer.status).toBe(200);
    const text = await answer.text();
    all.push(text);
    at = link.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  return all;
}

const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, one = ""]) => one);
const ROW = /<th scope="row">([^\s<]+) <span class="quiet">/gu;
const MORE = /<a href="([^"]+)">More of \d+ pins</u;

describe("the board", () => {
  test("comes in pages of two hundred, each pin once, and counts them all", async () => {
    await withPlane(async (plane) => {
      const names = Array.from({ length: 203 }, (_, at) => `service-${1_000 + at}`);
      await pin(plane, "prod", names, "a");
      // On the first page, and on the last one alone.
      await pin(plane, "staging", ["service-1000"], "a");
      await pin(plane, "staging", ["service-1001"], "b");
      await pin(plane, "test", ["service-1202"], "b");
      const token = await plane.token(["admin", "audit:read"], "prod");
      const all = await pages(plane, "/", MORE, token);
      expect(all.map((text) => found(text, ROW))).toEqual([names.slice(0, 200), names.slice(200)]);
      for (const text of all) {
        expect(found(text, /<th scope="col">([^<]+)</gu)).toEqual([
          "Template",
          "prod",
          "staging",
          "test",
          "Drift",
        ]);
        expect(text).toContain("2 of 203 pins differ between prod and staging and test");
      }
      // A page that ends with the last row says so with the next one, which is empty and still a board.
      const last = await (await look(plane, "/?template=service-1202&region=global", token)).text();
      expect([found(last, ROW), MORE.test(last), last.includes("Nothing is pinned")]).toEqual([
        [],
        false,
        false,
      ]);
    });
  });

  test("of a token that is confined to templates shows and counts those alone", async () => {
    await withPlane(async (plane) => {
      await pin(plane, "prod", ["alpha", "beta", "gamma"], "a");
      await pin(plane, "staging", ["alpha", "beta"], "a");
      await pin(plane, "unseen", ["beta"], "x");
      const token = await plane.token(["pins:read", "audit:read"], "prod", null, {
        templates: ["alpha", "gamma"],
      });
      const text = await (await look(plane, "/", token)).text();
      expect(found(text, ROW)).toEqual(["alpha", "gamma"]);
      expect(text).toContain("0 of 2 pins differ between prod and staging.");
      expect(found(await (await look(plane, "/search?q=beta", token)).text(), /\/pins\/([^"]+)/gu)).toEqual(
        [],
      );
      expect((await look(plane, "/pins/prod/beta/global", token)).status).toBe(404);
      expect((await look(plane, "/pins/prod/alpha/global", token)).status).toBe(200);
      const other = await plane.token(["pins:read"], "prod");
      expect((await look(plane, "/pins/staging/beta/global", other)).status).toBe(404);
    });
  });
});

test("a search takes signs for themselves, and shows the first hundred of a kind", async () => {
  await withPlane(async (plane) => {
    await pin(
      plane,
      "prod",
      Array.from({ length: 101 }, (_, at) => `many-${100 + at}`),
      "m",
    );
    await pin(plane, "prod", ["a_b"], "a", "100 % done \\ here");
    await pin(plane, "prod", ["axb"], "a", "1000 done");
    const token = await plane.token(["pins:read"], "prod");
    const search = async (text: string): Promise<readonly [string[], boolean]> => {
      const page = await (await look(plane, `/search?q=${encodeURIComponent(text)}`, token)).text();
      return [found(page, /href="\/pins\/prod\/([^/]+)\//gu), page.includes("The first 100 of a kind")];
    };
    for (const text of ["a_b", "100 %", "\\ here"])
      expect([text, await search(text)]).toEqual([text, [["a_b"], false]]);
    expect(await search("%")).toEqual([["a_b"], false]);
    expect(await search(digestOf("a").slice(7, 20))).toEqual([["a_b", "axb"], false]);
    const [names, isCut] = await search("many-");
    expect([names.length, isCut]).toEqual([100, true]);
  });
});

test("assignments come in pages, those of the token's hosts alone", async () => {
  await withPlane(async (plane) => {
    const token = await plane.token(["admin"], "prod");
    const json = { addon_id: "dns", version: "1", binary: "dns" };
    await ask(plane, "POST", "/v1/addons/packages", { token, json });
    const hosts = Array.from({ length: 201 }, (_, at) => `web-${1_000 + at}`);
    const puts = [{}, ...hosts.map((host) => ({ host }))].map((audience) =>
      ask(plane, "PUT", "/v1/addons/assignments/dns", { token, json: { version: "1", ...audience } }),
    );
    for (const { status } of await Promise.all(puts)) expect(status).toBe(200);
    const more = /<a href="([^"]+)">More assignments/u;
    const all = await pages(plane, "/hosts", more, token);
    const shown = all.map((text) => found(text, /<th scope="row">([^<]+?) <span/gu));
    expect(shown.map((page) => page.length)).toEqual([200, 2]);
    expect(shown.flat()).toEqual(["every host", ...hosts]);
    const confined = await plane.token(["addons:read"], "prod", null, { hosts: ["web-1100"] });
    const one = await (await look(plane, "/hosts", confined)).text();
    expect(found(one, /<th scope="row">([^<]+?) <span/gu)).toEqual(["web-1100"]);
    const searched = await (await look(plane, "/search?q=web-11", confined)).text();
    expect(found(searched, /<a href="\/hosts">(web[^<]+)</gu)).toEqual(["web-1100"]);
  });
});

test("a digest that many pins have is a picture of two dozen, and says how many more there are", async () => {
  await withPlane(async (plane) => {
    await pin(
      plane,
      "prod",
      Array.from({ length: 27 }, (_, at) => `t-${10 + at}`),
      "a",
    );
    const token = await plane.token(["pins:read"], "prod");
    const text = await (await look(plane, `/digests/${digestOf("a")}`, token)).text();
    expect(text).toContain("3 more pins");
    expect(new Set(found(text, /href="\/pins\/prod\/([^/]+)\//gu)).size).toBe(24);
  });
});
