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
  ])("%s are no answer", async (_what, bytes) => {
    await using server = await rawServer((socket) => socket.end(bytes));
    const [code] = verdict(await verify(server.url, "--attempt-timeout", "2s"));
    expect([10, 12]).toContain(code);
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
      { body: `${GOOD}${" ".repeat(1_100_000)}` },
      [10, "answer_too_large"],
    ],
    ["of 200 MB in 200 KB", { body: bomb, headers: gzip }, [10, "answer_not_json"]],
    ["compressed without being asked", { body: gzipSync(GOOD), headers: gzip }, [10, "answer_not_json"]],
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
    ["with a member twice", { body: GOOD.replace("{", '{"pins":[],') }, [10, "answer_not_json"]],
    ["of brackets", { body: "[".repeat(100_000) }, [10, "answer_not_json"]],
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
