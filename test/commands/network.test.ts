import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates, type Certificates } from "../support/certificates.ts";
import { connectProxy } from "../support/connect-proxy.ts";
import { closedPort, rawServer } from "../support/raw-server.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const TOKEN = { WAYBILL_TOKEN_PROD: "token-of-prod" };
const PASSWORD = "p%40ss-word-of-proxy";
const PLAIN_PASSWORD = "p@ss-word-of-proxy";

let folder: TemporaryFolder;
let certificates: Certificates;

beforeAll(() => {
  if (!CAN_MAKE_CERTIFICATES) return;
  folder = temporaryFolder();
  certificates = makeCertificates(folder);
});
afterAll(() => folder?.[Symbol.dispose]());

async function verify(
  base: string,
  more: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Finished> {
  const run = await runWaybill(
    [
      ...["verify", "pin", "--template", "codex", "--digest", NEW, "--target", `prod=${base}`, "--json"],
      ...["--allow-insecure-http", "--cacert", folder.at("ca.pem"), ...more],
    ],
    { env: { ...TOKEN, ...env } },
  );
  for (const secret of [PASSWORD, PLAIN_PASSWORD, TOKEN.WAYBILL_TOKEN_PROD, btoa(`user:${PLAIN_PASSWORD}`)]) {
    expect(run.stdout + run.stderr).not.toContain(secret);
  }
  return run;
}

function codeIn(run: Finished): unknown {
  const document = jsonOf(run) as { error?: { code: string }; legs?: { error?: { code: string } | null }[] };
  return document.error?.code ?? document.legs?.[0]?.error?.code ?? null;
}

describe.skipIf(!CAN_MAKE_CERTIFICATES)("a proxy (needs openssl)", () => {
  /** A control plane under a name that only the proxy knows. */
  const plane = (board = new Board(NEW)): ReturnType<typeof scriptedServer> =>
    scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote }, certificates.foreign);
  const BASE = "https://other.example";

  test.each([
    ["--proxy", (url: string) => [["--proxy", url], {}] as const],
    ["$HTTPS_PROXY", (url: string) => [[], { HTTPS_PROXY: url }] as const],
    ["$all_proxy", (url: string) => [[], { all_proxy: url }] as const],
  ])("of %s is used, and named without its password", async (from, given) => {
    await using server = await plane();
    await using proxy = await connectProxy(server.port);
    const [more, env] = given(`http://user:${PASSWORD}@${proxy.url.host}`);
    const run = await verify(BASE, more, env);
    expect(run.code).toBe(0);
    expect(run.stderr).toBe(`prod: other.example via proxy ${proxy.url.host} (${from})\n`);
    expect(proxy.received[0]).toStartWith("CONNECT other.example:443 HTTP/1.1\r\n");
    expect(proxy.received[0]).toContain(
      `\r\nProxy-Authorization: Basic ${btoa(`user:${PLAIN_PASSWORD}`)}\r\n`,
    );
    // What goes through is sealed: the proxy sees neither the token nor the answer.
    expect(proxy.received[0]).not.toContain("token-of-prod");
    expect(server.requests[0]?.headers["proxy-authorization"]).toBe(undefined);
  });

  test("carries a promotion", async () => {
    const board = new Board(OLD);
    await using server = await plane(board);
    await using proxy = await connectProxy(server.port);
    const run = await runWaybill(
      [
        ...["promote", "--template", "codex", "--digest", NEW, "--target", `prod=${BASE}`, "--json"],
        ...["--cacert", folder.at("ca.pem"), "--proxy", proxy.url.href],
      ],
      { env: TOKEN },
    );
    expect(jsonOf(run)).toMatchObject({ ok: true, legs: [{ outcome: "landed" }] });
    expect(board.digest).toBe(NEW);
  });

  test.each([
    ["NO_PROXY names the host", [], { NO_PROXY: "other.example" }],
    ["--proxy none", ["--proxy", "none"], {}],
  ] as const)("is not asked when %s", async (_what, more, env) => {
    await using proxy = await connectProxy(1);
    const run = await verify(BASE, more, { HTTPS_PROXY: proxy.url.href, ...env });
    expect([run.code, codeIn(run)]).toEqual([12, "name_not_resolved"]);
    expect(proxy.received).toEqual([]);
  });

  test("is never asked for this machine", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(NEW)) });
    await using proxy = await connectProxy(server.port);
    const env = { HTTPS_PROXY: proxy.url.href, HTTP_PROXY: proxy.url.href, ALL_PROXY: proxy.url.href };
    const run = await verify(server.url, ["--proxy", proxy.url.href], env);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(proxy.received).toEqual([]);
  });

  const ANSWERS: readonly [string, (socket: Socket) => void, string][] = [
    [
      "wants a login",
      (socket) =>
        void socket.end("HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
      "proxy_failed",
    ],
    [
      "refuses",
      (socket) => void socket.end("HTTP/1.1 502 ::stop-commands::x\r\nContent-Length: 0\r\n\r\n"),
      "proxy_failed",
    ],
    [
      "redirects",
      (socket) =>
        void socket.end("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"),
      "proxy_failed",
    ],
    ["closes", (socket) => void socket.end(), "connection_lost"],
    ["says something else", (socket) => void socket.end("hello\r\n\r\n"), "connection_lost"],
    ["says nothing", () => {}, "deadline_passed"],
    [
      "answers in place of the server",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.on("data", () => socket.end(`HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ pins: [row(NEW)] })}`));
      },
      "tls_broken",
    ],
  ];
  test.each(ANSWERS)("that %s is 12", async (what, answer, code) => {
    await using proxy = await rawServer(answer);
    const run = await verify(BASE, [
      "--proxy",
      `http://user:${PASSWORD}@${proxy.url.host}`,
      "--attempt-timeout",
      "500ms",
    ]);
    expect([run.code, codeIn(run)]).toEqual([12, code]);
    expect(run.stderr).toContain(proxy.url.host);
    expect(run.stderr).not.toMatch(/^::/mu);
    if (code === "tls_broken")
      expect(run.stderr).toContain(`other.example via proxy ${proxy.url.host} speaks no TLS`);
    if (what === "wants a login")
      expect(run.stderr).toContain("refused with 407\n  hint: the proxy wants a login");
  });

  test("that is not there is not the server's fault", async () => {
    for (const address of [`127.0.0.1:${await closedPort()}`, "proxy.invalid:3128"]) {
      const run = await verify(BASE, ["--proxy", `http://${address}`]);
      expect([run.code, codeIn(run)]).toEqual([12, "proxy_failed"]);
      expect(run.stderr).toContain(`no connection to the proxy ${address}`);
    }
  });

  test("that leads to another server gets nothing", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificates.server);
    await using proxy = await connectProxy(server.port);
    const run = await verify(BASE, ["--proxy", proxy.url.href]);
    expect([run.code, codeIn(run)]).toEqual([12, "tls_failed"]);
    expect(server.requests).toEqual([]);
  });

  test.each(["socks5://user:p%40ss-word-of-proxy@b:1", "http://b:1/p%40ss-word-of-proxy", "http://"])(
    "%s is 2 before anything is asked",
    async (text) => {
      expect((await verify(BASE, ["--proxy", text])).code).toBe(2);
      expect((await verify(BASE, [], { HTTPS_PROXY: text })).code).toBe(2);
    },
  );
});

describe.skipIf(!CAN_MAKE_CERTIFICATES)("a server that wants a certificate (needs openssl)", () => {
  const strict = (): ReturnType<typeof scriptedServer> => {
    const settings = {
      ...certificates.server,
      ca: certificates.ca,
      requestCert: true,
      rejectUnauthorized: true,
    };
    return scriptedServer({ [LIST]: listing(row(NEW)) }, settings);
  };
  const pair = (cert: string, key: string): string[] => [
    "--client-cert",
    folder.at(cert),
    "--client-key",
    folder.at(key),
  ];

  test("gets the one that is named", async () => {
    await using server = await strict();
    expect((await verify(server.url, pair("foreign.pem", "foreign.key"))).code).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  test("and gets none is 12, with the flag that is missing", async () => {
    await using server = await strict();
    const run = await verify(server.url);
    expect([run.code, codeIn(run)]).toEqual([12, "tls_broken"]);
    expect(run.stderr).toContain("does it want --client-cert?");
    expect(server.requests).toEqual([]);
  });

  // Such a server ends the connection without a word.
  test("and gets one that is over is 12, and was warned of", async () => {
    await using server = await strict();
    const run = await verify(server.url, pair("expired.pem", "expired.key"));
    expect(run.code).toBe(12);
    expect(run.stderr).toStartWith(
      `warning: the certificate of --client-cert "${folder.at("expired.pem")}" is over since `,
    );
    expect(server.requests).toEqual([]);
    const fresh = await verify(server.url, pair("foreign.pem", "foreign.key"));
    expect(fresh.stderr).not.toContain("warning");
  });

  test("and a certificate that cannot be read is not blamed on its key", async () => {
    writeFileSync(folder.at("odd.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const run = await verify("https://127.0.0.1:1", pair("odd.pem", "foreign.key"));
    expect([run.code, codeIn(run)]).toEqual([2, "input_invalid"]);
    expect(run.stderr).toContain(
      `--client-cert "${folder.at("odd.pem")}" holds no certificate that can be read`,
    );
  });

  test("is not asked with a key that does not fit", async () => {
    await using server = await strict();
    writeFileSync(folder.at("noise"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    for (const [more, code] of [
      [pair("foreign.pem", "server.key"), "input_invalid"],
      [pair("foreign.pem", "noise"), "input_invalid"],
      [pair("foreign.key", "foreign.key"), "input_invalid"],
      [pair("foreign.pem", "none"), "file_unreadable"],
      [["--client-cert", folder.at("foreign.pem")], "flags_contradict"],
      [["--client-key", folder.at("foreign.key")], "flags_contradict"],
    ] as const) {
      const run = await verify(server.url, more);
      expect([run.code, codeIn(run)]).toEqual([2, code]);
    }
    expect(server.connections()).toBe(0);
  });
});

test.skipIf(!CAN_MAKE_CERTIFICATES)("the keys of a connection are written nowhere", async () => {
  await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificates.server);
  const run = await verify(server.url, [], { SSLKEYLOGFILE: folder.at("keys.log") });
  expect(run.code).toBe(0);
  expect(existsSync(folder.at("keys.log"))).toBe(false);
});

test.skipIf(!CAN_MAKE_CERTIFICATES)("NODE_TLS_REJECT_UNAUTHORIZED=0 is told and not obeyed", async () => {
  await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificates.expired);
  const run = await verify(server.url, [], { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  expect([run.code, codeIn(run)]).toEqual([12, "tls_failed"]);
  expect(run.stderr).toStartWith("warning: NODE_TLS_REJECT_UNAUTHORIZED=0 is");
  expect(server.requests).toEqual([]);
});
