import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Host } from "../addons/host.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";
import { against, BYTES, cut, ETAG, goesOn, PROGRAM, ranged, stage, succeeded, whole } from "./against.ts";

describe("a transfer that breaks", () => {
  test("at 99 % goes on with a range, under the tag of the first answer", async () => {
    await against([cut, ranged()], (tried) => {
      succeeded(tried);
      expect(tried.requests.map((one) => [goesOn(one), one.headers["if-range"]])).toEqual([
        [false, undefined],
        [true, ETAG],
      ]);
    });
  });
  test("by a reset as well", async () => {
    await against([{ ...cut, then: "reset" }, ranged()], succeeded);
  });
  test("is begun again when the server knows no ranges", async () => {
    await against([cut, whole], succeeded);
  });
  test("is begun again when the object changed meanwhile", async () => {
    const old: Answer = { ...cut, body: Buffer.alloc(BYTES.length, "o"), headers: { etag: '"old"' } };
    await against([old, whole], (tried) => {
      succeeded(tried);
      expect(tried.requests[1]?.headers["if-range"]).toBe('"old"');
    });
  });
  test("is begun again when a server without If-Range sends a part of the new object", async () => {
    const old: Answer = { ...cut, body: Buffer.alloc(BYTES.length, "o"), headers: { etag: '"old"' } };
    await against([old, ranged(), ranged()], (tried) => {
      succeeded(tried);
      expect(tried.requests.map(({ headers }) => headers["range"] !== undefined)).toEqual([
        false,
        true,
        false,
      ]);
    });
  });
  test("is begun again when the joined bytes are not the right ones", async () => {
    // The same tag for other bytes: a broken server, or one that lies.
    const old: Answer = { ...cut, body: Buffer.alloc(BYTES.length, "o") };
    await against([old, ranged(), whole], (tried) => {
      succeeded(tried);
      expect(tried.requests).toHaveLength(3);
    });
  });
  const wrong: [string, Answer][] = [
    [
      "a range that begins elsewhere",
      { status: 206, body: "xx", headers: { "content-range": `bytes 5-6/${BYTES.length}` } },
    ],
    [
      "a range that ends before the end",
      {
        status: 206,
        body: "x",
        headers: { "content-range": `bytes ${cut.bodyBytes}-${cut.bodyBytes}/${BYTES.length}` },
      },
    ],
    ["a range that says nothing", { status: 206, body: "x" }],
    [
      "several ranges",
      { status: 206, body: "x", headers: { "content-type": "multipart/byteranges; boundary=x" } },
    ],
    ["416", { status: 416, headers: { "content-range": "bytes */10" } }],
  ];
  test.each(wrong)("and is answered with %s is begun again", async (_name, answer) => {
    await against([cut, answer, whole], (tried) => {
      succeeded(tried);
      expect(tried.requests[2]?.headers["range"]).toBeUndefined();
    });
  });
  const unresumable: [string, Record<string, string>][] = [
    ["a weak tag", { etag: 'W/"v1"' }],
    ["no tag and no date", {}],
    [
      "a date of change that is as young as the answer",
      { date: "Sat, 21 Nov 2026 08:00:00 GMT", "last-modified": "Sat, 21 Nov 2026 08:00:00 GMT" },
    ],
    ["a server that says it takes no ranges", { etag: ETAG, "accept-ranges": "none" }],
  ];
  test.each(unresumable)("with %s is begun again", async (_name, headers) => {
    await against([{ ...cut, headers }, whole], (tried) => {
      succeeded(tried);
      expect(tried.requests[1]?.headers["range"]).toBeUndefined();
    });
  });
  test("goes on by an old date of change", async () => {
    const changed = "Fri, 20 Nov 2026 08:00:00 GMT";
    const headers = { date: "Sat, 21 Nov 2026 08:00:00 GMT", "last-modified": changed };
    await against([{ ...cut, headers }, ranged()], (tried) => {
      succeeded(tried);
      expect(tried.requests[1]?.headers["if-range"]).toBe(changed);
    });
  });
  test("goes on in the next run, hashed from the first byte on", async () => {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    const route = `GET /${String(entry["artifact_object_key"])}`;
    await using server = await scriptedServer({ [route]: [cut, ranged()] });
    const first = await stage(host, server, ["--retry-budget", "0s"]);
    expect(first.document.addons[0]?.error?.code).toBe("connection_lost");
    const second = await stage(host, server, ["--retry-now"]);
    expect(second.exit).toBe(0);
    expect(goesOn(server.requests[1])).toBe(true);
    expect(readdirSync(join(host.root, "tmp")).filter((name) => name.includes(".part"))).toEqual([]);
  });
});
