import { describe, expect, test } from "bun:test";
import { ask } from "../ask.ts";
import { digestOf, withPlane, type Plane } from "../plane.ts";
import { envelope } from "../page/signed.ts";

const SUBJECT = digestOf("image").slice("sha256:".length);
const PATH = `/v1/attestations/sha256:${SUBJECT}`;

type Page = {
  readonly attestations: readonly { readonly predicate_type: string }[];
  readonly next_before: number | null;
};

async function keep(plane: Plane, count: number, more: object = {}): Promise<void> {
  const token = await plane.token(["attestations:write"]);
  for (let at = 0; at < count; at++) {
    const json = envelope(`kind-${at}`, more, "k", SUBJECT);
    expect((await ask(plane, "POST", "/v1/attestations", { token, json })).status).toBe(201);
  }
}

/** The kinds of the statements on each page, as a reader goes on until there are no more. */
async function pages(plane: Plane, limit: number): Promise<string[][]> {
  const token = await plane.token(["attestations:read"]);
  const all: string[][] = [];
  for (let before: number | null = 1_000_000; before !== null;) {
    const { status, body } = await ask(plane, "GET", `${PATH}?limit=${limit}&before=${before}`, { token });
    expect(status).toBe(200);
    const { attestations, next_before } = body as Page;
    all.push(attestations.map(({ predicate_type: type }) => type.split("-")[1] ?? ""));
    before = next_before;
  }
  return all;
}

describe("the statements about a digest", () => {
  test("come in pages, the newest first, each once", async () => {
    await withPlane(async (plane) => {
      await keep(plane, 5);
      expect(await pages(plane, 100)).toEqual([["4", "3", "2", "1", "0"]]);
      expect(await pages(plane, 2)).toEqual([["4", "3"], ["2", "1"], ["0"]]);
      expect(await pages(plane, 5)).toEqual([["4", "3", "2", "1", "0"], []]);
    });
  });

  test("come in shorter pages where they are long: a hundred may be a hundred megabytes", async () => {
    await withPlane(async (plane) => {
      await keep(plane, 9, { text: "x".repeat(700_000) });
      const lengths = (await pages(plane, 100)).map((page) => page.length);
      expect(lengths).toEqual([4, 4, 1]);
    });
  });

  test.each(["limit=0", "limit=101", "before=0", "before=x"])("for %s are 400", async (query) => {
    await withPlane(async (plane) => {
      const token = await plane.token(["attestations:read"]);
      const answer = await ask(plane, "GET", `${PATH}?${query}`, { token });
      expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
    });
  });
});
