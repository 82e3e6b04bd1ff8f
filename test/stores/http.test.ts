import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { chooseStore } from "../../src/stores/choose.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import { rawServer } from "../support/raw-server.ts";
import { bytesOf, choiceWith, codeOf, reading } from "./reading.ts";

const CHOICE = choiceWith();
const TOKEN = "secret-token-1";
const BODY = "#!/bin/sh\n";

type Seen = { path: string; authorization: string | null; encoding: string | null };
let server: ReturnType<typeof Bun.serve>;
let other: ReturnType<typeof Bun.serve>;
let seen: Seen[] = [];
let answer: () => Response = () => new Response(BODY);

function serve(): ReturnType<typeof Bun.serve> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      seen.push({
        path: new URL(request.url).pathname + new URL(request.url).search,
        authorization: request.headers.get("authorization"),
        encoding: request.headers.get("accept-encoding"),
      });
      return answer();
    },
  });
}

beforeAll(() => {
  server = serve();
  other = serve();
});
afterAll(async () => {
  await server.stop(true);
  await other.stop(true);
});
beforeEach(() => {
  seen = [];
  answer = () => new Response(BODY);
});

async function fetched(
  key: string,
  more = {},
  base = `http://127.0.0.1:${server.port}/base/`,
): Promise<string> {
  const stores = [chooseStore(base, TOKEN, CHOICE)];
  const [source] = sourcesOf({ key, downloadUrl: "", downloadToken: "" }, stores, CHOICE);
  if (source === undefined) throw new Error("no source");
  return String(await bytesOf(await source.open(reading(key, more))));
}

describe("keys", () => {
  test("each segment is encoded, and the token goes along", async () => {
    expect(await fetched("a b/c+d/%2e%2e/x?y#z.bin")).toBe(BODY);
    expect(seen).toEqual([
      {
        path: "/base/a%20b/c%2Bd/%252e%252e/x%3Fy%23z.bin",
        authorization: "Bearer secret-token-1",
        encoding: "identity",
      },
    ]);
  });

  test("a key that leads out asks nobody", async () => {
    expect(await codeOf(fetched("../x"))).toBe("unsafe_path");
    expect(seen).toEqual([]);
  });

  test("an absolute URL of the same origin gets the token, another one does not", async () => {
    await fetched(`http://127.0.0.1:${server.port}/elsewhere?sig=1`);
    await fetched(`http://127.0.0.1:${other.port}/elsewhere`);
    expect(seen.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/elsewhere?sig=1", "Bearer secret-token-1"],
      ["/elsewhere", null],
    ]);
  });
});

describe("answers", () => {
  const statuses: [number, string][] = [
    [201, "answer_unexpected"],
    [204, "answer_unexpected"],
    [206, "answer_unexpected"],
    [301, "redirect_refused"],
    [302, "redirect_refused"],
    [304, "answer_unexpected"],
    [307, "redirect_refused"],
    [400, "request_rejected"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [408, "server_failed"],
    [410, "not_found"],
    [416, "request_rejected"],
    [425, "server_failed"],
    [429, "rate_limited"],
    [500, "server_failed"],
    [503, "server_failed"],
  ];
  test.each(statuses)("%p is %s", async (status, code) => {
    const headers = { location: `http://127.0.0.1:${other.port}/stolen` };
    answer = () => new Response(status === 204 || status === 304 ? null : "x", { status, headers });
    expect(await codeOf(fetched("x"))).toBe(code);
    expect(seen).toHaveLength(1);
  });

  test("a refusal with an endless body ends at once", async () => {
    const ended = Promise.withResolvers<void>();
    answer = () => new Response(endless(ended.resolve), { status: 404 });
    expect(await codeOf(fetched("x"))).toBe("not_found");
    await ended.promise;
  });

  test("an endless body ends at the ceiling", async () => {
    answer = () => new Response(endless());
    expect(await codeOf(fetched("x"))).toBe("artifact_too_large");
  });

  test("the ceiling itself is taken, one byte more is not", async () => {
    expect(await fetched("x", { maxBytes: BODY.length })).toBe(BODY);
    expect(await codeOf(fetched("x", { maxBytes: BODY.length - 1 }))).toBe("artifact_too_large");
  });

  test("case 41: bytes that were compressed on the way are refused", async () => {
    answer = () => new Response(gzipSync(BODY), { headers: { "content-encoding": "gzip" } });
    expect(await codeOf(fetched("x"))).toBe("answer_unexpected");
    answer = () => new Response(BODY, { headers: { "content-encoding": "identity" } });
    expect(await fetched("x")).toBe(BODY);
  });

  test("a server that never ends is left at the deadline", async () => {
    answer = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    expect(await codeOf(fetched("x", { deadlineMs: 200 }))).toBe("deadline_passed");
  });

  test("a stop is no failure of the server", async () => {
    const stop = new AbortController();
    answer = () => {
      stop.abort("SIGINT");
      return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    };
    expect(await codeOf(fetched("x", { stop: stop.signal }))).toBe("interrupted");
  });

  const cuts: [string, string][] = [
    ["a body shorter than it said", `HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${BODY}`],
    ["a chunked body without its end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n#!/bi"],
    ["nothing", ""],
  ];
  test.each(cuts)("%s is a lost connection", async (_name, text) => {
    await using raw = await rawServer((socket) => socket.end(text));
    expect(await codeOf(fetched("x", {}, raw.url.href))).toBe("connection_lost");
  });
});

function endless(cancel: () => void = () => {}): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)), cancel });
}
