import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { Host } from "../addons/host.ts";
import { rawServer } from "../support/raw-server.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";
import { against, BYTES, cut, failed, PROGRAM, ranged, stage, succeeded, whole } from "./against.ts";

describe("one answer", () => {
  const page = "<!DOCTYPE html><html><body>Please log in</body></html>";
  const answers: [string, Answer, string, number][] = [
    ["200 with a login page", { body: page, headers: { "content-type": "text/html" } }, "hash_mismatch", 6],
    [
      "200 with other bytes of the right length",
      { body: Buffer.alloc(BYTES.length, "x") },
      "hash_mismatch",
      6,
    ],
    ["200 with one byte more", { body: Buffer.concat([BYTES, Buffer.from("x")]) }, "hash_mismatch", 6],
    ["200 without any byte", { body: "" }, "hash_mismatch", 6],
    ["201", { status: 201, body: BYTES }, "answer_unexpected", 10],
    ["204", { status: 204, framing: "close" }, "answer_unexpected", 10],
    [
      "206 that nobody asked for",
      { status: 206, body: BYTES, headers: { "content-range": "bytes 0-9/10" } },
      "answer_unexpected",
      10,
    ],
    ["304 that nobody asked for", { status: 304, framing: "close" }, "answer_unexpected", 10],
    ["400", { status: 400 }, "request_rejected", 9],
    ["401", { status: 401 }, "unauthorized", 4],
    ["403", { status: 403 }, "forbidden", 4],
    ["404", { status: 404 }, "not_found", 7],
    ["410", { status: 410 }, "not_found", 7],
    ["416", { status: 416 }, "request_rejected", 9],
    [
      "content-encoding gzip",
      { body: gzipSync(BYTES), headers: { "content-encoding": "gzip" } },
      "answer_unexpected",
      10,
    ],
    [
      "content-encoding of a name that nobody knows",
      { body: BYTES, headers: { "content-encoding": "x" } },
      "answer_unexpected",
      10,
    ],
    [
      "case 42: a redirect to a metadata service",
      { status: 302, headers: { location: "http://169.254.169.254/latest" } },
      "redirect_refused",
      10,
    ],
    [
      "case 42: a redirect to a file",
      { status: 301, headers: { location: "file:///etc/passwd" } },
      "redirect_refused",
      10,
    ],
    ["a redirect to itself", { status: 307, headers: { location: "/" } }, "redirect_refused", 10],
    [
      "a length beyond the ceiling",
      { headers: { "content-length": "99999999999" }, framing: "close", body: "x" },
      "artifact_too_large",
      10,
    ],
  ];
  const numbered = answers.map(([name, ...rest]): [string, Answer, string, number] => [
    `case ${name.startsWith("a redirect") ? 42 : 75}: ${name}`,
    ...rest,
  ]);
  test.each(numbered)("%s", async (_name, answer, code, exit) => {
    await against(answer, (tried) => {
      failed(tried, code, exit);
      // A refusal is not asked for again.
      expect(tried.requests).toHaveLength(1);
    });
  });

  test("a login page is told as what it is", async () => {
    await against({ body: page }, ({ run }) => {
      expect(run.document.addons[0]?.error?.hint).toContain("HTML page");
    });
  });

  test("chunked, and closed without a length, are taken by their digest", async () => {
    await against({ ...whole, framing: "chunked" }, succeeded);
    await against({ ...whole, framing: "close" }, succeeded);
  });

  test("case 40: an endless body ends at the ceiling", async () => {
    await against({ send: "endless" }, (tried) => failed(tried, "artifact_too_large", 10), [
      "--max-artifact-bytes",
      "1000000",
    ]);
  });

  test("the ceiling itself is taken, one byte less is not enough", async () => {
    await against(whole, succeeded, ["--max-artifact-bytes", String(BYTES.length)]);
    await against(whole, (tried) => failed(tried, "artifact_too_large", 10), [
      "--max-artifact-bytes",
      String(BYTES.length - 1),
    ]);
    await against({ ...whole, framing: "chunked" }, (tried) => failed(tried, "artifact_too_large", 10), [
      "--max-artifact-bytes",
      String(BYTES.length - 1),
    ]);
  });
});

describe("an artifact of", () => {
  const sizes: [string, string, string | null][] = [
    ["no byte", "", "platform_unsupported"],
    ["one byte", "#", "platform_unsupported"],
    ["two bytes and a line", "#!/bin/sh", null],
  ];
  test.each(sizes)("case 73: %s", async (_name, text, code) => {
    using host = new Host();
    const entry = host.program("app", "1.0", text);
    host.assign(entry);
    await using server = await scriptedServer({
      [`GET /${String(entry["artifact_object_key"])}`]: { body: text },
    });
    const run = await stage(host, server);
    expect(run.document.addons[0]?.error?.code).toBe(code ?? undefined);
  });
});

describe("a server that is slow", () => {
  const quick = ["--store-idle-timeout", "300ms", "--retry-budget", "0s"];
  test("case 76: with a body that stalls", async () => {
    await against(
      { ...cut, then: "stall" },
      (tried) => {
        failed(tried, "deadline_passed", 12);
        expect(tried.run.document.addons[0]?.error?.message).toContain("sent nothing for 300 ms");
      },
      quick,
    );
  });
  test("with a head that never ends", async () => {
    await against({ send: "nothing", then: "stall" }, (tried) => failed(tried, "deadline_passed", 12), quick);
  });
  test("byte by byte", async () => {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    await using server = await rawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BYTES.length}\r\n\r\n`);
      const timer = setInterval(() => socket.write("x"), 20);
      socket.on("close", () => clearInterval(timer));
    });
    const flags = ["--store", server.url.href, "--allow-insecure-http", "--store-min-rate", "5000", ...quick];
    const run = await host.stage(flags);
    expect(run.document.addons[0]?.error?.code).toBe("deadline_passed");
    expect(run.document.addons[0]?.error?.message).toContain("wanted 5000 a second");
  });
  test("beyond the ceiling of the whole", async () => {
    await against({ ...cut, then: "stall" }, (tried) => failed(tried, "deadline_passed", 12), [
      "--store-timeout",
      "400ms",
    ]);
  });
  test("goes on from where it stalled, when it may", async () => {
    await against(
      [{ ...cut, then: "stall" }, ranged()],
      (tried) => {
        succeeded(tried);
        expect(tried.requests[1]?.headers["range"]).toBe(`bytes=${cut.bodyBytes}-`);
      },
      ["--store-idle-timeout", "300ms"],
    );
  });
});

describe("a head that is", () => {
  const heads: [string, string, string, number][] = [
    ["larger than any", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(2_000_000)}\r\n\r\n`, "answer_too_large", 10],
    ["not HTTP", "SSH-2.0-OpenSSH\r\n", "connection_lost", 12],
    ["empty", "", "connection_lost", 12],
  ];
  test.each(heads)("%s", async (_name, head, code, exit) => {
    using host = new Host();
    host.assign(host.program("app", "1.0", PROGRAM));
    await using server = await rawServer((socket) => socket.end(head));
    const flags = ["--store", server.url.href, "--allow-insecure-http", "--retry-budget", "0s"];
    const run = await host.stage(flags);
    expect([run.document.addons[0]?.error?.code, run.exit]).toEqual([code, exit]);
  });
});
