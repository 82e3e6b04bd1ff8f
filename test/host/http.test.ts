import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import { open, request, shownUrl, type HttpRequest } from "../../src/host/http.ts";
import { runProgram } from "../support/binary.ts";
import {
  CAN_MAKE_CERTIFICATES,
  makeCertificates,
  type Certificates,
  type KeyPair,
} from "../support/certificates.ts";
import { fragment } from "../support/fragment.ts";
import { closedPort, rawServer } from "../support/raw-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const SECRET = "hunter2hunter2";

/** A request that carries a credential in each place where one can be. */
function to(url: URL, changed: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "GET",
    url: new URL(`?X-Signature=${SECRET}#${SECRET}`, url),
    headers: { authorization: `Bearer ${SECRET}`, "x-api-key": SECRET },
    deadlineMs: 20_000,
    maxBytes: 1_000_000,
    ...changed,
  };
}

/** The failure of a request, which shows no credential wherever it is looked at. */
async function failure(wanted: HttpRequest): Promise<Failure> {
  const thrown: unknown = await request(wanted).then(
    (answer) => new Error(`answered ${answer.status}`),
    (error: unknown) => error,
  );
  if (!(thrown instanceof Failure)) throw thrown;
  const trace = thrown.cause instanceof Error ? `${thrown.cause.message} ${thrown.cause.stack}` : "";
  expect(`${JSON.stringify(thrown.toDocument())} ${thrown.stack} ${trace}`).not.toContain(SECRET);
  return thrown;
}

function text(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

/** What a process of its own prints when it asks for a URL with a token, in a hostile environment. */
async function inEnvironment(url: URL, env: Record<string, string>, ca = ""): Promise<string> {
  const finished = await runProgram(
    fragment(`
      import { request } from "src/host/http.ts";
      const answer = await request({
        method: "GET", url: new URL("${url.href}"), deadlineMs: 20_000, maxBytes: 100,
        headers: { authorization: "Bearer ${SECRET}", "x-api-key": "${SECRET}", cookie: "a=${SECRET}" },
        ...(${JSON.stringify(ca)} === "" ? {} : { ca: ${JSON.stringify(ca)} }),
      }).catch((error) => error.toDocument());
      console.log(answer.code ?? answer.status);
    `),
    { env },
  );
  return finished.stdout + finished.stderr;
}

/** An HTTPS server with a certificate, and how often it was asked. */
function serve(pair: KeyPair): Disposable & { readonly url: URL; readonly seen: () => number } {
  let seen = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: pair,
    fetch: () => {
      seen++;
      return new Response("abc");
    },
  });
  return {
    url: new URL(`https://127.0.0.1:${server.port}/`),
    seen: () => seen,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("an answer", () => {
  test("is given as it is: status, headers and bytes", async () => {
    await using server = await rawServer((socket) => {
      socket.end("HTTP/1.1 418 Teapot\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
    });
    const answer = await request(to(server.url));
    expect(answer).toMatchObject({ status: 418 });
    expect(answer.headers.get("x-a")).toBe("b");
    expect(text(answer.body)).toBe("abc");
  });

  test("without a body", async () => {
    await using server = await rawServer((socket) => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    expect((await request(to(server.url))).body.length).toBe(0);
  });

  test("that ends with the connection", async () => {
    await using server = await rawServer((socket) => socket.end(`${OK}Connection: close\r\n\r\nabc`));
    expect(text((await request(to(server.url))).body)).toBe("abc");
  });

  test("is not decoded: a digest is over the bytes on the wire", async () => {
    const zipped = gzipSync("x".repeat(1000));
    await using server = await rawServer((socket) => {
      socket.write(`${OK}Content-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`);
      socket.end(zipped);
    });
    const answer = await request(to(server.url));
    expect(Buffer.from(answer.body).equals(zipped)).toBe(true);
    expect(server.received[0]?.toLowerCase()).toContain("\r\naccept-encoding: identity\r\n");
  });

  test.each([301, 302, 303, 307, 308])("that leads elsewhere (%d) is not followed", async (status) => {
    await using other = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    await using server = await rawServer((socket) => {
      socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${other.url.href}\r\nContent-Length: 0\r\n\r\n`);
    });
    for (const method of ["GET", "POST"] as const) {
      const answer = await request(to(server.url, { method, ...(method === "POST" ? { body: "{}" } : {}) }));
      expect(answer.status).toBe(status);
      expect(answer.headers.get("location")).toBe(other.url.href);
    }
    expect(other.received).toEqual([]);
  });

  test("comes over a connection of its own each time", async () => {
    await using server = await rawServer((socket) => socket.write(`${OK}Content-Length: 0\r\n\r\n`));
    await request(to(server.url));
    await request(to(server.url));
    expect(server.received).toHaveLength(2);
  });
});

describe("the ceiling of the body", () => {
  test("is exact", async () => {
    await using server = await rawServer((socket) => socket.end(`${OK}Content-Length: 5\r\n\r\nabcde`));
    expect(text((await request(to(server.url, { maxBytes: 5 }))).body)).toBe("abcde");
    expect(await failure(to(server.url, { maxBytes: 4 }))).toMatchObject({
      code: "answer_too_large",
      message: `${shownUrl(server.url)} sent more than 4 bytes`,
    });
  });

  // RFC 9112 §6.3: the chunks decide, and a length beside them promises nothing.
  test("counts the chunks of an answer that names a short length too", async () => {
    await using server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`);
      socket.end(`1000\r\n${"x".repeat(4096)}\r\n0\r\n\r\n`);
    });
    const answer = await request(to(server.url, { maxBytes: 100 })).catch((error: unknown) => error);
    expect(answer).toBeInstanceOf(Failure);
  });

  test("ends an answer that never ends, and closes the connection", async () => {
    await using server = await rawServer((socket) => {
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
      const more = (): void => {
        while (!socket.destroyed && socket.write(`1000\r\n${"x".repeat(4096)}\r\n`));
        socket.once("drain", more);
      };
      more();
    });
    expect((await failure(to(server.url, { maxBytes: 100_000 }))).code).toBe("answer_too_large");
    while (server.closed() === 0) await Bun.sleep(5);
  });
});

describe("the deadline", () => {
  const slow: [string, string][] = [
    ["no answer", ""],
    ["half a status line", "HTTP/1.1 20"],
    ["headers without an end", `${OK}X-A: b\r\n`],
    ["no body", `${OK}Content-Length: 5\r\n\r\n`],
    ["half a body", `${OK}Content-Length: 5\r\n\r\nab`],
    ["a chunk without an end", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nab`],
  ];
  test.each(slow)("passes over a server that gives %s", async (_what, bytes) => {
    await using server = await rawServer((socket) => socket.write(bytes));
    expect(await failure(to(server.url, { deadlineMs: 150 }))).toMatchObject({
      code: "deadline_passed",
      message: `${shownUrl(server.url)} gave no whole answer within 150 ms`,
    });
  });

  test("is over the whole exchange, however often something comes", async () => {
    await using server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: 100000\r\n\r\n`);
      const timer = setInterval(() => socket.write("x"), 10);
      socket.once("close", () => clearInterval(timer));
    });
    expect((await failure(to(server.url, { deadlineMs: 200 }))).code).toBe("deadline_passed");
  });
});

describe("a signal that stops the run", () => {
  test.each([
    ["before the answer", ""],
    ["within the body", `${OK}Content-Length: 5\r\n\r\nab`],
  ])("%s", async (_what, bytes) => {
    const stop = new AbortController();
    await using server = await rawServer((socket) => {
      socket.write(bytes, () => stop.abort("SIGTERM"));
    });
    expect(await failure(to(server.url, { stop: stop.signal }))).toMatchObject({
      code: "terminated",
      message: `stopped by SIGTERM while waiting for ${server.url.host}`,
    });
  });

  test("before the request", async () => {
    await using server = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    expect((await failure(to(server.url, { stop: AbortSignal.abort("SIGINT") }))).code).toBe("interrupted");
    expect(server.received).toEqual([]);
  });
});

describe("a broken exchange", () => {
  const broken: [string, string, FailureCode][] = [
    ["closed without a word", "", "connection_lost"],
    ["closed within the headers", `${OK}X-A`, "connection_lost"],
    ["closed within a body of a known length", `${OK}Content-Length: 5\r\n\r\nab`, "connection_lost"],
    ["closed within a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nab`, "connection_lost"],
    ["closed between chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`, "connection_lost"],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "connection_lost"],
    ["a length that is no number", `${OK}Content-Length: many\r\n\r\nab`, "connection_lost"],
    ["two lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`, "connection_lost"],
    [
      "a chunk length that is no number",
      `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n0\r\n\r\n`,
      "connection_lost",
    ],
  ];
  test.each(broken)("%s", async (_what, bytes, code) => {
    await using server = await rawServer((socket) => socket.end(bytes));
    expect((await failure(to(server.url))).code).toBe(code);
  });

  test.each(["GET", "PUT", "POST"] as const)("sends a %s once and not twice", async (method) => {
    await using server = await rawServer((socket) => socket.destroy());
    const body = method === "GET" ? {} : { body: "x" };
    expect((await failure(to(server.url, { method, ...body }))).code).toBe("connection_lost");
    expect(server.received).toHaveLength(1);
  });

  test("a body that was cut is not given as a whole one, to a reader of chunks either", async () => {
    await using server = await rawServer((socket) =>
      socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`),
    );
    const { chunks } = await open(to(server.url));
    const read = async (): Promise<void> => {
      for await (const chunk of chunks) expect(chunk.length).toBe(2);
    };
    expect(read()).rejects.toMatchObject({ code: "connection_lost" });
  });
});

describe("no connection", () => {
  test("to a port where nobody listens", async () => {
    const port = await closedPort();
    const refused = await failure(to(new URL(`http://127.0.0.1:${port}`)));
    expect(refused).toMatchObject({ code: "connection_failed", exitCode: 12 });
    expect(refused.message).toStartWith(`no connection to 127.0.0.1:${port} (`);
  });

  test("to a name that does not exist", async () => {
    expect(await failure(to(new URL("http://nonexistent.invalid")))).toMatchObject({
      code: "name_not_resolved",
      message: "the name nonexistent.invalid was not found",
    });
  });

  test.each(["file:///etc/hostname", "data:text/plain,x", "ftp://127.0.0.1/", "s3://bucket/key", "blob:x"])(
    "to %s",
    async (url) => {
      expect((await failure({ ...to(new URL("http://127.0.0.1")), url: new URL(url) })).code).toBe(
        "url_invalid",
      );
    },
  );
});

describe("a proxy in the environment", () => {
  test("is not asked for this machine", async () => {
    await using proxy = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    await using server = await rawServer((socket) => {
      socket.end("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    });
    const env = { HTTP_PROXY: proxy.url.href, http_proxy: proxy.url.href, ALL_PROXY: proxy.url.href };
    expect(await inEnvironment(server.url, env)).toBe("201\n");
    expect(await inEnvironment(new URL(server.url.href.replace("127.0.0.1", "localhost")), env)).toBe(
      "201\n",
    );
    expect(proxy.received).toEqual([]);
  });

  test("that refuses the tunnel is told apart from the server", async () => {
    await using proxy = await rawServer((socket) =>
      socket.end("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
    );
    expect(await inEnvironment(new URL("https://cp.example/"), { HTTPS_PROXY: proxy.url.href })).toBe(
      "proxy_failed\n",
    );
    expect(proxy.received).toHaveLength(1);
  });

  test("of a kind that is not spoken is one too", async () => {
    expect(await inEnvironment(new URL("https://cp.example/"), { HTTPS_PROXY: "socks5://127.0.0.1:1" })).toBe(
      "proxy_failed\n",
    );
  });
});

test("a URL in a message has no user, no query and no fragment", () => {
  expect(shownUrl(new URL("https://user:pass@cp.example:8443/a/b?c=d#e"))).toBe(
    "https://cp.example:8443/a/b",
  );
});

describe.skipIf(!CAN_MAKE_CERTIFICATES)("TLS (needs openssl)", () => {
  let folder: TemporaryFolder;
  let certificates: Certificates;
  beforeAll(() => {
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
  });
  afterAll(() => folder[Symbol.dispose]());

  test("a certificate of the authority that was named is taken", async () => {
    using server = serve(certificates.server);
    expect(text((await request(to(server.url, { ca: certificates.ca }))).body)).toBe("abc");
  });

  test("one of an authority that nobody knows is not, and nothing is sent", async () => {
    using server = serve(certificates.server);
    const refused = await failure(to(server.url));
    expect(refused).toMatchObject({
      code: "tls_failed",
      exitCode: 12,
      hint: "pass the issuing certificate with --cacert",
    });
    expect(server.seen()).toBe(0);
  });

  test.each([
    ["foreign", "it is for another name; check the host in the URL"],
    ["expired", "check the server's certificate and this machine's clock"],
  ] as const)("a %s one is not", async (which, hint) => {
    using server = serve(certificates[which]);
    expect(await failure(to(server.url, { ca: certificates.ca }))).toMatchObject({
      code: "tls_failed",
      hint,
    });
    expect(server.seen()).toBe(0);
  });

  test("nothing is sent to a server without TLS", async () => {
    await using server = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    const url = new URL(server.url.href.replace("http:", "https:"));
    expect(["tls_broken", "connection_lost", "connection_failed"]).toContain((await failure(to(url))).code);
    expect(server.received.join("")).not.toContain(SECRET);
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn the check off", async () => {
    using server = serve(certificates.server);
    const said = await inEnvironment(server.url, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    expect(said).toContain("tls_failed\n");
    expect(server.seen()).toBe(0);
  });

  test.each(["curl", "1", "true"])("BUN_CONFIG_VERBOSE_FETCH=%s prints no request", async (value) => {
    using server = serve(certificates.server);
    expect(await inEnvironment(server.url, { BUN_CONFIG_VERBOSE_FETCH: value }, certificates.ca)).toBe(
      "200\n",
    );
    await using plain = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    expect(await inEnvironment(plain.url, { BUN_CONFIG_VERBOSE_FETCH: value })).toBe("200\n");
  });
});
