import { describe, expect, test } from "bun:test";
import { readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";
import { stage } from "../../../src/control-plane/artifacts/file-blobs.ts";
import { byteRange, type ByteRange } from "../../../src/control-plane/artifacts/byte-range.ts";
import { noneMatch } from "../../../src/control-plane/http/etag.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { bodyOf, rejection, withPlane, type Body, type Plane } from "../plane.ts";

const TEXT = "0123456789";
const SHA = sha256Of(TEXT);

async function put(plane: Plane, sha256: string, body: Body): Promise<[number, unknown]> {
  const token = await plane.token(["addons:write"]);
  const answer = await plane.call("PUT", `/v1/artifacts/${sha256}`, { token, body });
  return [answer.status, await bodyOf(answer)];
}

async function get(
  plane: Plane,
  key: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Response> {
  const token = await plane.token(["addons:read"]);
  return plane.call(method, `/v1/artifacts/${key}`, { token, headers });
}

describe("storing an artifact", () => {
  test("is 201, then 200, and recorded once", async () => {
    await withPlane(async (plane) => {
      expect(await put(plane, SHA, TEXT)).toEqual([201, { sha256: SHA, bytes: 10 }]);
      expect(await put(plane, SHA, TEXT)).toEqual([200, { sha256: SHA, bytes: 10 }]);
      expect((await plane.events()).map((one) => [one.action, one.subject])).toEqual([
        ["artifact.store", SHA],
      ]);
      expect(readdirSync(join(plane.folder, "incoming"))).toEqual([]);
    });
  });

  test.each(["ENOSPC", "EDQUOT"])("without room, as %s says, is 507 and leaves nothing", async (code) => {
    using folder = temporaryFolder();
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw Object.assign(new Error("write"), { code });
    }
    const failed = await rejection(stage(folder.path, chunks(), 100, "an artifact"));
    expect(failed).toMatchObject({ code: "storage_full" });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("beyond what the environment may have is 413, its own again is not, and another environment has its own share", async () => {
    await withPlane(
      async (plane) => {
        expect((await put(plane, SHA, TEXT))[0]).toBe(201);
        const full = { code: "quota_exceeded", used_bytes: 10, quota_bytes: 15 };
        const [status, body] = await put(plane, sha256Of("abcdef"), "abcdef");
        expect([status, body]).toEqual([413, expect.objectContaining(full)]);
        expect((await get(plane, sha256Of("abcdef"))).status).toBe(404);
        expect((await put(plane, sha256Of("abcde"), "abcde"))[0]).toBe(201);
        expect((await put(plane, SHA, TEXT))[0]).toBe(200);
        const token = await plane.token(["addons:write"], "prod");
        const other = `/v1/artifacts/${sha256Of("abcdef")}`;
        expect((await plane.call("PUT", other, { token, body: "abcdef" })).status).toBe(201);
        expect(readdirSync(join(plane.folder, "incoming"))).toEqual([]);
        const files = readdirSync(join(plane.folder, "artifacts"), { recursive: true }).map(String);
        expect(files.filter((name) => name.length > 64)).toHaveLength(3);
      },
      undefined,
      15,
    );
  });

  test("that is announced to be too much is refused before a byte is read", async () => {
    await withPlane(
      async (plane) => {
        const token = await plane.token(["addons:write"]);
        const body = new ReadableStream<Uint8Array>({
          pull: () => {
            throw new Error("it was read");
          },
        });
        const headers = { "content-length": "16" };
        const answer = await plane.call("PUT", `/v1/artifacts/${SHA}`, { token, headers, body });
        expect([answer.status, await bodyOf(answer)]).toEqual([
          413,
          expect.objectContaining({ code: "quota_exceeded" }),
        ]);
      },
      undefined,
      15,
    );
  });

  test("of no bytes works", async () => {
    await withPlane(async (plane) => {
      const empty = sha256Of("");
      expect(await put(plane, empty, "")).toEqual([201, { sha256: empty, bytes: 0 }]);
      const answer = await get(plane, empty);
      expect([answer.status, await answer.text()]).toEqual([200, ""]);
      expect((await get(plane, empty, { range: "bytes=0-" })).status).toBe(416);
    });
  });

  test("with other bytes is 422, also when the right ones are there; nothing is left", async () => {
    await withPlane(async (plane) => {
      const wanted = [422, { code: "hash_mismatch", error: expect.stringContaining(sha256Of("other")) }];
      expect(await put(plane, SHA, "other")).toEqual(wanted as never);
      expect((await get(plane, SHA)).status).toBe(404);
      await put(plane, SHA, TEXT);
      expect(await put(plane, SHA, "other")).toEqual(wanted as never);
      expect(await (await get(plane, SHA)).text()).toBe(TEXT);
      expect(readdirSync(join(plane.folder, "incoming"))).toEqual([]);
    });
  });

  test("under a name that is no digest is 404", async () => {
    await withPlane(async (plane) => {
      for (const name of ["x", SHA.toUpperCase(), `${SHA}.bin`])
        expect((await put(plane, name, TEXT))[0]).toBe(404);
    });
  });

  test("refuses codings, partial bodies and a declared length above the ceiling", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["addons:write"]);
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await plane.call("PUT", `/v1/artifacts/${SHA}`, { token, headers, body: TEXT })).status;
      expect(await status({ "content-encoding": "gzip" })).toBe(415);
      expect(await status({ "content-range": "bytes 0-9/20" })).toBe(415);
      expect(await status({ "content-length": "2000000000" })).toBe(413);
      expect(await status({ "content-encoding": "identity" })).toBe(201);
    });
  });

  test("a broken upload leaves nothing", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["addons:write"]);
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from("0123"));
          controller.error(new Error("gone"));
        },
      });
      expect((await plane.call("PUT", `/v1/artifacts/${SHA}`, { token, body })).status).toBe(500);
      expect((await get(plane, SHA)).status).toBe(404);
      expect(readdirSync(join(plane.folder, "incoming"))).toEqual([]);
    });
  });
});

describe("reading an artifact", () => {
  test("by its digest, with any folders before and any extension behind", async () => {
    await withPlane(async (plane) => {
      await put(plane, SHA, TEXT);
      for (const key of [SHA, `${SHA}.bin`, `${SHA}.tar.gz`, `native-addons/x/1.0/linux/amd64/${SHA}.bin`]) {
        const answer = await get(plane, key);
        expect([answer.status, await answer.text()]).toEqual([200, TEXT]);
        expect(Object.fromEntries(answer.headers)).toMatchObject({
          etag: `"${SHA}"`,
          "content-type": "application/octet-stream",
          "content-length": "10",
          "accept-ranges": "bytes",
          "content-disposition": "attachment",
        });
      }
      for (const key of [`${SHA}x`, `x${SHA}`, `${SHA}/x`, `${SHA}.`, `${SHA}.b/c`, "0".repeat(64)]) {
        expect([key, (await get(plane, key)).status]).toEqual([key, 404]);
      }
    });
  });

  test("HEAD has the headers and no bytes", async () => {
    await withPlane(async (plane) => {
      await put(plane, SHA, TEXT);
      const answer = await get(plane, SHA, {}, "HEAD");
      expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([
        200,
        "10",
        "",
      ]);
      const part = await get(plane, SHA, { range: "bytes=2-4" }, "HEAD");
      expect([part.status, part.headers.get("content-length")]).toEqual([206, "3"]);
    });
  });

  test("in parts", async () => {
    await withPlane(async (plane) => {
      await put(plane, SHA, TEXT);
      const part = await get(plane, SHA, { range: "bytes=2-4" });
      expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
        206,
        "234",
        "bytes 2-4/10",
      ]);
      const none = await get(plane, SHA, { range: "bytes=10-" });
      expect([none.status, none.headers.get("content-range")]).toEqual([416, "bytes */10"]);
      const same = await get(plane, SHA, { range: "bytes=2-4", "if-range": `"${SHA}"` });
      expect(same.status).toBe(206);
      const other = await get(plane, SHA, { range: "bytes=2-4", "if-range": '"other"' });
      expect([other.status, await other.text()]).toEqual([200, TEXT]);
    });
  });

  test.each(["is gone", "was cut"])("whose file %s is 503, and the operator is told", async (what) => {
    await withPlane(async (plane) => {
      await put(plane, SHA, TEXT);
      const file = join(plane.folder, "artifacts", SHA.slice(0, 2), SHA);
      if (what === "is gone") rmSync(file);
      else truncateSync(file, 5);
      const asked = [{}, { range: "bytes=0-1" }, { range: "bytes=0-1", "if-range": '"other"' }];
      for (const headers of asked) {
        const answer = await get(plane, SHA, headers);
        expect([answer.status, (await bodyOf<{ code: string }>(answer)).code]).toEqual([503, "unavailable"]);
      }
      expect(plane.faults).toHaveLength(asked.length);
      expect(plane.faults[0]).toContain("wanted 10 bytes, found ");
    });
  });

  test("again is 304", async () => {
    await withPlane(async (plane) => {
      await put(plane, SHA, TEXT);
      const answer = await get(plane, SHA, { "if-none-match": `"${SHA}"` });
      expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([304, `"${SHA}"`, ""]);
    });
  });
});

describe("a Range header of a file of ten bytes", () => {
  const cases: readonly (readonly [string | null, ByteRange])[] = [
    [null, "whole"],
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=2-4", { start: 2, end: 5 }],
    ["bytes=2-", { start: 2, end: 10 }],
    ["bytes=2-99", { start: 2, end: 10 }],
    ["bytes=-3", { start: 7, end: 10 }],
    ["bytes=-99", { start: 0, end: 10 }],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=4-2", "whole"],
    ["bytes=-", "whole"],
    ["bytes=0-1,3-4", "whole"],
    ["lines=0-1", "whole"],
    ["bytes=a-b", "whole"],
  ];
  for (const [header, wanted] of cases) {
    test(`${header}`, () => expect(byteRange(header, 10)).toEqual(wanted));
  }
});

describe("If-None-Match", () => {
  const cases: readonly (readonly [string | null, boolean])[] = [
    [null, false],
    ["*", true],
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['"b"', false],
    ["a", false],
    ['"aa"', false],
  ];
  for (const [header, wanted] of cases)
    test(`${header}`, () => expect(noneMatch(header, '"a"')).toBe(wanted));
});
