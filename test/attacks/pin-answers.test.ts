import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { LIST, NEW, row } from "../pins/rows.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { rawServer } from "../support/raw-server.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const GOOD = JSON.stringify({ pins: [row(NEW)] });
const OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

const HEX = GOOD.length.toString(16);
const LENGTH = `Content-Length: ${GOOD.length}\r\n`;
const WHOLE = `${OK}${LENGTH}\r\n${GOOD}`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const LAST = "0\r\n\r\n";
const CHUNK = `${GOOD.length.toString(16)}\r\n${GOOD}\r\n`;
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";

async function verify(base: string | URL, ...more: readonly string[]): Promise<Finished> {
  const args = [
    "--template",
    "codex",
    "--digest",
    NEW,
    "--target",
    `prod=${String(base).replace(/\/$/u, "")}`,
  ];
  return runWaybill(["verify", "pin", ...args, "--allow-insecure-http", "--json", ...more], {
    env: { WAYBILL_TOKEN_PROD: "token-of-prod" },
  });
}

function verdict(run: Finished): [number, unknown] {
  const { legs } = jsonOf(run) as { legs: { error: { code: string } | null }[] };
  return [run.code, legs[0]?.error?.code ?? null];
}

describe("headers", () => {
  const large: [number, string] = [10, "answer_too_large"];
  const pads: [string, string, [number, string]][] = [
    ["one that is longer than all may be", `X-A: ${"a".repeat(65_536)}\r\n`, large],
    ["many that are longer together", `Set-Cookie: ${"a".repeat(4_000)}\r\n`.repeat(17), large],
    ["one of many megabytes", `X-A: ${"a".repeat(30_000_000)}\r\n`, large],
    ["twenty thousand", "X-A: b\r\n".repeat(20_000), [12, "connection_lost"]],
    ["a name that is too long", `${"x".repeat(1_000_000)}: a\r\n`, large],
  ];
  test.each(pads)("%s end the answer, not the memory", async (_what, pad, wanted) => {
    await using server = await rawServer((socket) =>
      socket.end(`${OK}${pad}Content-Length: ${GOOD.length}\r\n\r\n${GOOD}`),
    );
    expect(verdict(await verify(server.url))).toEqual(wanted);
  });

  test("without an end are over at the deadline, though something always comes", async () => {
    await using server = await rawServer((socket: Socket) => {
      socket.write(OK);
      const timer = setInterval(() => socket.write("X-A: b\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    });
    expect(verdict(await verify(server.url, "--attempt-timeout", "300ms"))).toEqual([12, "deadline_passed"]);
  });

  test.each([
    ["two lengths that differ", `${OK}Content-Length: 5\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`],
    ["a length that is no number", `${OK}Content-Length: x\r\n\r\n${GOOD}`],
    ["a length below zero", `${OK}Content-Length: -1\r\n\r\n${GOOD}`],
    ["a status that is no number", `HTTP/1.1 2OO OK\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`],
    ["no HTTP", GOOD],
    ["a last chunk that never came", `${OK}Transfer-Encoding: chunked\r\n\r\n${CHUNK}`],
    ["an answer of a later protocol", `HTTP/2.0 200 OK\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`],
    [
      "a switch of protocols that nobody wanted",
      `${SWITCH}${OK}Content-Length: ${GOOD.length}\r\n\r\n${GOOD}`,
    ],
    ["an interim answer with a body", `HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\nhello${WHOLE}`],
    ["a name with a space behind it", `${OK}Content-Length : 5\r\n\r\n${GOOD}`],
    ["a line that goes on in the next", `${OK}X-A: a\r\n Age: 5\r\n${LENGTH}\r\n${GOOD}`],
    ["a length in hexadecimal", `${OK}Content-Length: 0x${HEX}\r\n\r\n${GOOD}`],
    ["a length beyond 64 bits", `${OK}Content-Length: ${2n ** 64n + BigInt(GOOD.length)}\r\n\r\n${GOOD}`],
    ["a length with a sign", `${OK}Content-Length: +${GOOD.length}\r\n\r\n${GOOD}`],
    ["a list of lengths", `${OK}Content-Length: ${GOOD.length}, ${GOOD.length}\r\n\r\n${GOOD}`],
    ["a size of a chunk in C's hexadecimal", `${CHUNKED}0x${CHUNK}${LAST}`],
    ["a size of a chunk with a sign", `${CHUNKED}+${CHUNK}${LAST}`],
    [
      "a size of a chunk beyond 64 bits",
      `${CHUNKED}1${CHUNK.padStart(CHUNK.length + 16 - HEX.length, "0")}${LAST}`,
    ],
    ["a chunk with more behind it than it says", `${CHUNKED}${CHUNK.trimEnd()}XX0\r\n\r\n`],
    ["chunks twice", `${OK}Transfer-Encoding: chunked\r\n${CHUNKED.slice(OK.length)}${CHUNK}${LAST}`],
  ])("%s are no answer", async (_what, bytes) => {
    await using server = await rawServer((socket) => socket.end(bytes));
    expect(verdict(await verify(server.url, "--attempt-timeout", "2s"))).toEqual([12, "connection_lost"]);
  });

  test.each([
    ["no content", 204, "answer_unexpected"],
    ["a part", 206, "answer_unexpected"],
    ["what did not change", 304, "answer_unexpected"],
    ["what a proxy made of it", 203, "answer_unexpected"],
    ["many choices", 300, "redirect_refused"],
  ])("of %s are no listing, though the bytes would do", async (_what, status, code) => {
    await using server = await rawServer((socket) =>
      socket.end(`HTTP/1.1 ${status} X\r\n${LENGTH}\r\n${GOOD}`),
    );
    expect(verdict(await verify(server.url))).toEqual([10, code]);
  });

  test.each(["br", "zstd", "deflate", "x-gzip", "aws-chunked", "identity, br", ""])(
    "of a content coding %j are no listing, though the bytes would do",
    async (coding) => {
      await using server = await rawServer((socket) =>
        socket.end(`${OK}Content-Encoding: ${coding}\r\n${LENGTH}\r\n${GOOD}`),
      );
      expect(verdict(await verify(server.url))).toEqual([10, "answer_malformed"]);
    },
  );

  test.each([
    [
      "two hundred thousand interim answers",
      `${"HTTP/1.1 103 X\r\nAge: 9\r\n\r\n".repeat(200_000)}${OK}${LENGTH}\r\n${GOOD}`,
    ],
    ["trailers that say otherwise", `${CHUNKED}${CHUNK}0\r\nAge: 99\r\nContent-Encoding: gzip\r\n\r\n`],
  ])("beside the answer's own say nothing of it: %s", async (_what, bytes) => {
    await using server = await rawServer((socket) => socket.end(bytes));
    expect(verdict(await verify(server.url))).toEqual([0, null]);
  });

  // Each of two readers would find another end, or another text.
  test.each([
    ["a length and chunks", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}0\r\n\r\n`],
    ["chunks of a coding", `Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNK}0\r\n\r\n`],
    [
      "chunks of a coding that are none",
      `Transfer-Encoding: identity\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`,
    ],
    ["a coding that is not there", `Content-Encoding: gzip\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`],
  ])("that contradict themselves are no answer, though the bytes would do: %s", async (_what, rest) => {
    await using server = await rawServer((socket) => socket.end(`${OK}${rest}`));
    expect(verdict(await verify(server.url))).toEqual([10, "answer_malformed"]);
  });

  test.each([
    ["identity", "Content-Encoding: identity\r\n"],
    ["no age", "Age: 0\r\n"],
    ["one length, twice", `Content-Length: ${GOOD.length}\r\n`],
  ])("that say nothing of it are taken: %s", async (_what, line) => {
    await using server = await rawServer((socket) =>
      socket.end(`${OK}${line}Content-Length: ${GOOD.length}\r\n\r\n${GOOD}`),
    );
    expect(verdict(await verify(server.url))).toEqual([0, null]);
  });

  test("that refuse the answer do not keep the program waiting for its end", async () => {
    await using server = await rawServer((socket) =>
      socket.write(`${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`),
    );
    const run = await verify(server.url, "--attempt-timeout", "10m", "--timeout", "10m");
    expect(verdict(run)).toEqual([10, "answer_malformed"]);
  });

  test("of a cache are no proof, and asked again", async () => {
    const cached: Answer = { body: GOOD, headers: { age: "7" } };
    await using server = await scriptedServer({ [LIST]: [cached, { body: GOOD }] });
    expect(verdict(await verify(server.url))).toEqual([10, "answer_cached"]);
    // Told that nobody wants what it remembers, a cache that keeps to the rules asks the control plane.
    expect(server.requests[0]?.headers["cache-control"]).toBe("no-cache");
    await using patient = await scriptedServer({ [LIST]: [cached, { body: GOOD }] });
    expect(verdict(await verify(patient.url, "--for", "20s", "--retry-interval", "5ms"))).toEqual([0, null]);
  });

  test("of an interim answer before the real one are passed over", async () => {
    await using server = await rawServer((socket) => {
      socket.end(
        `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Content-Length: ${GOOD.length}\r\n\r\n${GOOD}`,
      );
    });
    expect(verdict(await verify(server.url))).toEqual([0, null]);
  });
});

describe("a body", () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000, " "), { level: 9 });
  const gzip = { "content-encoding": "gzip" };
  const cases: [string, Answer, [number, string | null]][] = [
    ["that comes byte by byte", { body: GOOD, send: "drip" }, [0, null]],
    ["that stops in the middle", { body: GOOD, bodyBytes: 40, then: "stall" }, [12, "deadline_passed"]],
    ["that never ends", { send: "endless" }, [10, "answer_too_large"]],
    [
      "that is larger than any listing",
      { body: `${GOOD}${" ".repeat(4_300_000)}` },
      [10, "answer_too_large"],
    ],
    ["of 200 MB in 200 KB", { body: bomb, headers: gzip }, [10, "answer_malformed"]],
    ["compressed without being asked", { body: gzipSync(GOOD), headers: gzip }, [10, "answer_malformed"]],
    ["compressed without a word", { body: gzipSync(GOOD) }, [10, "answer_not_json"]],
    ["cut off, its end told by a length", { body: GOOD, bodyBytes: 60 }, [12, "connection_lost"]],
    [
      "cut off, its end told by a last chunk",
      { body: GOOD, bodyBytes: 60, framing: "chunked" },
      [12, "connection_lost"],
    ],
    [
      "cut off, its end told by closing",
      { body: GOOD, bodyBytes: 60, framing: "close" },
      [10, "answer_not_json"],
    ],
    [
      "cut off by a reset, its end told by closing",
      { body: GOOD, bodyBytes: 60, framing: "close", then: "reset" },
      [10, "answer_not_json"],
    ],
    ["whole, its end told by closing", { body: GOOD, framing: "close" }, [0, null]],
    ["cut after a row that would do", { body: GOOD.slice(0, -2), framing: "close" }, [10, "answer_not_json"]],
    ["with something after it", { body: `${GOOD}${GOOD}` }, [10, "answer_not_json"]],
    ["with another answer after it", { body: GOOD, after: "HTTP/1.1 500 X\r\n\r\n" }, [0, null]],
    ["of which the length tells less", { body: GOOD, length: GOOD.length - 5 }, [10, "answer_not_json"]],
    ["of which the length tells more", { body: GOOD, length: GOOD.length + 5 }, [12, "connection_lost"]],
    ["with a member twice", { body: GOOD.replace("{", '{"pins":[],') }, [10, "answer_not_json"]],
    ["of brackets", { body: "[".repeat(100_000) }, [10, "answer_not_json"]],
    [
      "of nothing but the beginnings of commands",
      { status: 500, body: "::a".repeat(349_000) },
      [13, "server_failed"],
    ],
  ];
  test.concurrent.each(cases)("%s", async (_what, answer, wanted) => {
    await using server = await scriptedServer({ [LIST]: answer });
    const found = verdict(
      await verify(server.url, "--attempt-timeout", wanted[1] === "deadline_passed" ? "500ms" : "20s"),
    );
    // A reset may overtake what was sent before it.
    if (answer.then === "reset") expect([10, 12]).toContain(found[0]);
    else expect(found).toEqual(wanted);
  });
});
