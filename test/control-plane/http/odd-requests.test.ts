import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { sha256Of } from "../../../src/base/hashing.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { digestOf } from "../plane.ts";
import { pinned } from "../served.ts";

/** What a stranger writes to the socket, byte for byte, and what the compiled server does with it. */
let server: ControlPlaneProcess;
let token: string;
beforeAll(async () => {
  server = await startControlPlane();
  token = await server.token(["admin"]);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(server.stderr()).toBe("");
});

type Heard = { readonly status: number; readonly head: string; readonly body: string };

/** Sends it all and reads until the server closes, or until the answer to `count` requests is there. */
async function send(text: string, count = 1): Promise<readonly Heard[]> {
  const { hostname, port } = new URL(server.address);
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = "";
  const socket = connect({ host: hostname, port: Number(port) }, () => void socket.write(text, "latin1"));
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
    if (answersIn(heard).length >= count) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(heard));
  return answersIn(await promise);
}

/** The whole answers, by their own lengths. */
function answersIn(heard: string): readonly Heard[] {
  const answers: Heard[] = [];
  let rest = heard;
  for (;;) {
    const found = /^HTTP\/1\.1 (\d{3})[^]*?\r\n\r\n/u.exec(rest);
    if (found === null) return answers;
    const [head, status] = found;
    const length = Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? 0);
    const body = rest.slice(head.length, head.length + length);
    if (body.length < length) return answers;
    answers.push({ status: Number(status), head, body });
    rest = rest.slice(head.length + length);
  }
}

async function statusOf(text: string): Promise<number | undefined> {
  return (await send(text))[0]?.status;
}

describe("a request that does not name its server", () => {
  test.each([
    ["HTTP/1.0, as health checks of balancers send it", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    ["HTTP/1.0 with a query", "GET /healthz?from=haproxy HTTP/1.0\r\n\r\n", 200],
    ["an empty Host", "GET /readyz HTTP/1.1\r\nHost:\r\n\r\n", 200],
    ["HTTP/1.1 without a Host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["a Host with a space in it", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["a Host that goes on with a path", "GET /healthz HTTP/1.1\r\nHost: a/v1/pins?\r\n\r\n", 400],
    ["a Host with a user", "GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n", 400],
    ["steps in the path", "GET /v1/../healthz HTTP/1.0\r\n\r\n", 404],
    ["hidden steps in the path", "GET /v1/%2e%2e/healthz HTTP/1.0\r\n\r\n", 404],
    ["another slash", "GET /\\healthz HTTP/1.0\r\n\r\n", 404],
    ["what looks like a server", "GET //healthz HTTP/1.0\r\n\r\n", 404],
  ])("by %s", async (_what, text, status) => {
    expect(await statusOf(text)).toBe(status);
  });

  test("is asked for its token as any other, and gets what it may have", async () => {
    const bearer = `Authorization: Bearer ${token}\r\n`;
    expect(await statusOf("GET /v1/pins HTTP/1.0\r\n\r\n")).toBe(401);
    expect(await statusOf(`GET /v1/pins?template=x HTTP/1.0\r\n${bearer}\r\n`)).toBe(200);
    expect(await statusOf(`GET /v1/pins?limit=x HTTP/1.0\r\n${bearer}\r\n`)).toBe(400);
  });

  test.each([
    ["no Host", ""],
    ["a Host that no address can have", "Host: %zz\r\n"],
  ])("of a page, which shows commands for this server: %s is no fault of ours", async (_what, host) => {
    const text = `GET / HTTP/1.0\r\n${host}Cookie: waybill=${token}\r\n\r\n`;
    const [answer] = await send(text);
    expect(answer?.status).toBe(400);
    expect(answer?.body).toContain("Host");
  });
});

describe("two ways to read where a request ends", () => {
  const body = JSON.stringify({ template_name: "smuggled", image_digest: digestOf("a") });
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n`;
  const inner = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
  test.each([
    ["a length and chunks", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`],
    ["chunks and a length", `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunked}0\r\n\r\n`],
    ["two lengths", `Content-Length: ${body.length}\r\nContent-Length: 5\r\n\r\n${body}`],
    ["a list of lengths", `Content-Length: ${body.length}, ${body.length}\r\n\r\n${body}`],
    ["a signed length", `Content-Length: +${body.length}\r\n\r\n${body}`],
    ["a length behind a space", `Content-Length : ${body.length}\r\n\r\n${body}`],
    [
      "chunks that are not the last coding",
      `Transfer-Encoding: chunked, identity\r\n\r\n${chunked}0\r\n\r\n`,
    ],
    ["an unknown coding", `Transfer-Encoding: xchunked\r\n\r\n${chunked}0\r\n\r\n`],
    ["a folded header", `Transfer-Encoding:\r\n chunked\r\n\r\n${chunked}0\r\n\r\n`],
    [
      "chunks with a line feed alone",
      `Transfer-Encoding: chunked\r\n\r\n${chunked.replace("\r\n", "\n")}0\r\n\r\n`,
    ],
    [
      "a chunk with an extension and a line feed",
      `Transfer-Encoding: chunked\r\n\r\n${chunked.replace("\r\n", ";x\n")}0\r\n\r\n`,
    ],
    [
      "a chunk beyond all numbers",
      `Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
    ],
    [
      "a chunk that does not end where it says",
      `Transfer-Encoding: chunked\r\n\r\n${chunked.slice(0, -2)}XX0\r\n\r\n`,
    ],
  ])("by %s: 400, nothing is done, and nobody else's request is read", async (_what, rest) => {
    const head = `POST /cp/admin/runtime-image/promote HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\n`;
    const answers = await send(`${head}${rest}`, 2);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(await pinned(server, token)).toEqual([]);
  });
});

test("a Range that is none gets the whole artifact, by HEAD and GET alike", async () => {
  for (const bytes of ["0123456789", ""]) {
    const sha256 = sha256Of(bytes);
    const url = `${server.address}/v1/artifacts/${sha256}`;
    const authorization = `Bearer ${token}`;
    const put = await fetch(url, { method: "PUT", headers: { authorization }, body: bytes });
    expect(put.status).toBe(201);
    for (const range of [
      "bytes=5-4",
      "bytes= 0-1",
      "bytes=0 -1",
      "bytes=0-1,3-4",
      "lines=0-1",
      "bytes=-",
      "bytes=0-1,",
    ]) {
      const head = await fetch(url, { method: "HEAD", headers: { authorization, range } });
      const answer = await fetch(url, { headers: { authorization, range } });
      expect([range, head.status, head.headers.get("content-length")]).toEqual([
        range,
        200,
        `${bytes.length}`,
      ]);
      expect([range, answer.status, answer.headers.get("content-range"), await answer.text()]).toEqual([
        range,
        200,
        null,
        bytes,
      ]);
    }
  }
});
