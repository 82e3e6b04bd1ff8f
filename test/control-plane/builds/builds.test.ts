import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";
import { archive, bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";

type Named = { readonly id: string };
type Page = {
  readonly object: string;
  readonly items: readonly Named[];
  readonly has_more: boolean;
  readonly limit: number;
};
type Fields = Readonly<Record<string, string | Blob>>;

function form(fields: Fields): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name, value, "context.tar.gz");
  }
  return data;
}

const CONTEXT = archive("x");
const GOOD: Fields = { context_archive: CONTEXT, image_name: "app", agent_name: "bot" };

async function post(plane: Plane, fields: Fields | FormData, env = "default"): Promise<Response> {
  const token = await plane.token(["builds:write"], env);
  return plane.call("POST", "/v5/builds", {
    headers: { "x-api-key": token },
    body: fields instanceof FormData ? fields : form(fields),
  });
}

async function list(plane: Plane, query: string, env = "default"): Promise<Response> {
  return plane.call("GET", `/v5/builds${query}`, { token: await plane.token(["builds:read"], env) });
}

/** Files below the data folder that hold uploaded bytes. */
function files(plane: Plane): string[] {
  return ["artifacts", "contexts", "incoming"].flatMap((name) =>
    readdirSync(join(plane.folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${name}/${entry.name}`),
  );
}

describe("recording a build", () => {
  test("answers the build object with every source field echoed, and keeps the archive by its digest", async () => {
    await withPlane(async (plane) => {
      const bytes = archive("the context");
      const answer = await post(plane, {
        source_repo: "github.com/acme/app",
        source_commit: "c".repeat(40),
        source_ref: "main",
        source_subpath: "agents/bot",
        source_dirty: "true",
        working_tree_hash: "d".repeat(64),
        context_archive: bytes,
        image_name: "app",
        image_tag: "1.2",
        image_digest: digestOf("image"),
        agent_name: "bot",
        build_args: '{"TOKEN":"hunter2secret","N":"1"}',
        platform: "linux/arm64",
        unknown_field: "ignored",
      });
      const sha256 = sha256Of(new Uint8Array(await bytes.arrayBuffer()));
      const build = await bodyOf<Named>(answer);
      const seen: unknown = [answer.status, build];
      expect(seen).toEqual([
        200,
        {
          object: "agentex_cloud_build",
          id: expect.stringMatching(/^id-/u),
          account_id: "default",
          agent_id: null,
          agent_name: "bot",
          build_status: "success",
          cloud_provider_build_id: build.id,
          image_name: "app",
          image_tag: "1.2",
          image_url: null,
          image_digest: digestOf("image"),
          platform: "linux/arm64",
          build_arg_names: ["TOKEN", "N"],
          build_start_time: null,
          build_end_time: null,
          created_at: "2026-11-21T12:00:00.123000Z",
          created_by: {
            object: "identity",
            type: "service_account",
            id: expect.stringMatching(/^api-token-[0-9a-f]{8}$/u),
          },
          source_repo: "github.com/acme/app",
          source_commit: "c".repeat(40),
          source_ref: "main",
          source_subpath: "agents/bot",
          source_dirty: true,
          working_tree_hash: "d".repeat(64),
          context_archive: { sha256, bytes: bytes.size },
        },
      ]);
      expect(files(plane)).toEqual([`contexts/${sha256}`]);
      const token = await plane.token(["builds:read"]);
      expect(await (await plane.call("GET", `/v5/builds/${build.id}`, { token })).json()).toEqual(build);
      expect(await plane.events()).toEqual([
        expect.objectContaining({ action: "build.record", subject: build.id }),
      ]);
      expect(await plane.stored()).not.toContain("hunter2secret");
    });
  });

  test("without a digest is of unknown status; what was not given is null", async () => {
    await withPlane(async (plane) => {
      const build = await (await post(plane, { ...GOOD, source_dirty: "false" })).json();
      expect(build).toMatchObject({
        build_status: "unknown",
        image_tag: "latest",
        image_digest: null,
        source_commit: null,
        source_dirty: false,
        working_tree_hash: null,
      });
    });
  });

  test("by agent_id alone names that as the agent", async () => {
    await withPlane(async (plane) => {
      const { agent_name: _, ...rest } = GOOD;
      const build = await (await post(plane, { ...rest, agent_id: "a-1" })).json();
      expect(build).toMatchObject({ agent_id: "a-1", agent_name: "a-1" });
    });
  });

  test("is the same below /v1, where errors are problems and a key is no token", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["builds:read", "builds:write"]);
      const fields = { ...GOOD, source_repo: "github.com/acme/app" };
      const made = await plane.call("POST", "/v1/builds", { token, body: form(fields) });
      const { id } = await bodyOf<Named>(made);
      await post(plane, GOOD);
      const found = await plane.call("GET", "/v1/builds?source_repo=github.com/acme/app", { token });
      expect((await bodyOf<Page>(found)).items.map((one) => one.id)).toEqual([id]);
      expect((await plane.call("GET", `/v5/builds/${id}`, { token })).status).toBe(200);
      const none = await plane.call("GET", "/v1/builds/none", { token });
      expect(none.headers.get("content-type")).toBe("application/problem+json");
      const keyed = await plane.call("GET", "/v1/builds", { headers: { "x-api-key": token } });
      expect(keyed.status).toBe(401);
    });
  });

  test("the same archive twice is kept once", async () => {
    await withPlane(async (plane) => {
      await post(plane, GOOD);
      await post(plane, GOOD);
      expect(files(plane)).toHaveLength(1);
      expect((await bodyOf<Page>(await list(plane, ""))).items).toHaveLength(2);
    });
  });

  test("contexts count against the quota of the environment, the same one once", async () => {
    await withPlane(
      async (plane) => {
        expect((await post(plane, GOOD)).status).toBe(200);
        expect((await post(plane, GOOD)).status).toBe(200);
        const other = await post(plane, { ...GOOD, context_archive: archive("something else") });
        expect([other.status, await bodyOf(other)]).toEqual([
          413,
          expect.objectContaining({ code: "quota_exceeded" }),
        ]);
        expect(files(plane)).toHaveLength(1);
        expect((await bodyOf<Page>(await list(plane, ""))).items).toHaveLength(2);
      },
      undefined,
      CONTEXT.size + 5,
    );
  });

  const without = (name: string): Fields => {
    const { [name]: _, ...rest } = GOOD;
    return rest;
  };
  const refused: readonly (readonly [string, Fields, string])[] = [
    ["no archive", without("context_archive"), "context_archive is required"],
    ["an empty archive", { ...GOOD, context_archive: new Blob([]) }, "context_archive must not be empty"],
    [
      "a plain tar",
      { ...GOOD, context_archive: new Blob(["./PaxHeaders"]) },
      "context_archive must be a tar.gz",
    ],
    ["an archive as text", { ...GOOD, context_archive: "x" }, "context_archive must be a file"],
    ["no image name", without("image_name"), "image_name is required"],
    ["no agent", without("agent_name"), "exactly one of agent_id and agent_name must be given"],
    ["two agents", { ...GOOD, agent_id: "a" }, "exactly one of agent_id and agent_name must be given"],
    ["a bad tag", { ...GOOD, image_tag: "a b" }, "image_tag must be a tag of at most 128 characters"],
    ["a bad digest", { ...GOOD, image_digest: "latest" }, "image_digest must be sha256:<64 hex>"],
    [
      "a bad platform",
      { ...GOOD, platform: "windows" },
      "platform must be one of linux/amd64, linux/arm64, linux/arm/v7",
    ],
    ["args that are no JSON", { ...GOOD, build_args: "A=1" }, "build_args must be a JSON object"],
    ["args that are a list", { ...GOOD, build_args: "[1]" }, "build_args must be a JSON object"],
    ["a dirty flag of Python", { ...GOOD, source_dirty: "True" }, "source_dirty must be true or false"],
    [
      "a line break in a branch",
      { ...GOOD, source_ref: "a\nb" },
      "source_ref must not contain control characters",
    ],
    ["a long field", { ...GOOD, source_repo: "x".repeat(1_025) }, "source_repo must be <= 1024 chars"],
  ];
  for (const [name, fields, error] of refused) {
    test(`${name} is 400 and leaves nothing behind`, async () => {
      await withPlane(async (plane) => {
        const answer = await post(plane, fields);
        expect([answer.status, await answer.json()]).toEqual([400, { error, code: "invalid_field" }]);
        expect(files(plane)).toEqual([]);
        expect((await bodyOf<Page>(await list(plane, ""))).items).toEqual([]);
      });
    });
  }

  test("a field twice is refused", async () => {
    await withPlane(async (plane) => {
      const data = form(GOOD);
      data.append("image_name", "other");
      expect(await (await post(plane, data)).json()).toMatchObject({ code: "invalid_multipart" });
      expect(files(plane)).toEqual([]);
    });
  });

  test("a declared length above the ceiling is 413 before a byte is read", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["builds:write"]);
      const answer = await plane.call("POST", "/v5/builds", {
        token,
        headers: { "content-type": "multipart/form-data; boundary=x", "content-length": "600000000" },
        body: "x",
      });
      expect([answer.status, (await bodyOf<{ code: string }>(answer)).code]).toEqual([413, "too_large"]);
    });
  });

  test("a body that is no form is 415", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["builds:write"]);
      const answer = await plane.call("POST", "/v5/builds", { token, json: {} });
      expect([answer.status, (await bodyOf<{ code: string }>(answer)).code]).toEqual([
        415,
        "unsupported_media_type",
      ]);
    });
  });
});

async function six(plane: Plane): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < 6; at++) {
    const build = await post(plane, {
      ...GOOD,
      agent_name: at % 2 === 0 ? "even" : "odd",
      source_commit: `${at}`.repeat(40),
      working_tree_hash: `${at}`.repeat(64),
    });
    ids.push((await bodyOf<Named>(build)).id);
  }
  return ids;
}

describe("listing builds", () => {
  test("is newest first, in pages that meet", async () => {
    await withPlane(async (plane) => {
      const ids = await six(plane);
      const page = async (query: string): Promise<[number[], boolean, number]> => {
        const { object, items, has_more, limit } = await bodyOf<Page>(await list(plane, query));
        expect(object).toBe("list");
        return [items.map((one) => ids.indexOf(one.id)), has_more, limit];
      };
      expect(await page("")).toEqual([[5, 4, 3, 2, 1, 0], false, 100]);
      expect(await page("?limit=2")).toEqual([[5, 4], true, 2]);
      expect(await page(`?limit=2&starting_after=${ids[4]}`)).toEqual([[3, 2], true, 2]);
      expect(await page(`?limit=3&starting_after=${ids[2]}`)).toEqual([[1, 0], false, 3]);
      expect(await page(`?limit=2&ending_before=${ids[1]}`)).toEqual([[3, 2], true, 2]);
      expect(await page(`?limit=9&ending_before=${ids[3]}`)).toEqual([[5, 4], false, 9]);
      expect(await page("?sort_by=created_at&sort_order=asc&limit=2")).toEqual([[0, 1], true, 2]);
      expect(await page(`?sort_order=asc&limit=2&starting_after=${ids[1]}`)).toEqual([[2, 3], true, 2]);
      expect(await page(`?sort_order=asc&limit=2&ending_before=${ids[3]}`)).toEqual([[1, 2], true, 2]);
      expect(await page("?agent_name=odd")).toEqual([[5, 3, 1], false, 100]);
      expect(await page(`?source_commit=${"4".repeat(40)}&agent_name=even`)).toEqual([[4], false, 100]);
      expect(await page(`?working_tree_hash=${"4".repeat(64)}&agent_name=odd`)).toEqual([[], false, 100]);
    });
  });

  test("shows the token's environment alone", async () => {
    await withPlane(async (plane) => {
      const { id } = await bodyOf<Named>(await post(plane, GOOD, "prod"));
      expect((await bodyOf<Page>(await list(plane, "", "staging"))).items).toEqual([]);
      const token = await plane.token(["builds:read"], "staging");
      expect((await plane.call("GET", `/v5/builds/${id}`, { token })).status).toBe(404);
      expect((await list(plane, `?starting_after=${id}`, "staging")).status).toBe(400);
    });
  });

  const refused: readonly (readonly [string, string])[] = [
    ["?limit=0", "limit must be 1..1000"],
    ["?limit=1001", "limit must be 1..1000"],
    ["?limit=1e3", "limit must be 1..1000"],
    ["?limit=", "limit must not be empty"],
    ["?source_commit=", "source_commit must not be empty"],
    ["?agent_name=a&agent_name=b", "agent_name must be given once"],
    ["?sort_by=id", "sort_by must be created_at"],
    ["?sort_order=up", "sort_order must be asc or desc"],
    ["?starting_after=a&ending_before=b", "starting_after and ending_before exclude each other"],
    ["?starting_after=nothing", "starting_after names no build"],
  ];
  for (const [query, error] of refused) {
    test(`${query} is 400`, async () => {
      await withPlane(async (plane) => {
        const answer = await list(plane, query);
        expect([answer.status, await answer.json()]).toEqual([400, { error, code: "invalid_query" }]);
      });
    });
  }
});
