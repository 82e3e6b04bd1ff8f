import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAN_MAKE_CERTIFICATES, makeCertificates } from "../support/certificates.ts";
import { connectProxy } from "../support/connect-proxy.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { Host, type StageRun } from "./host.ts";

type Answer = (host: Host, request: Request) => Response;

const LIST = (host: Host): Response => new Response(readFileSync(host.list));
const STORED: Answer = (host, { url }) =>
  new Response(readFileSync(join(host.store, new URL(url).pathname.slice(1))));

async function serving<T>(
  host: Host,
  answer: Answer,
  use: (port: number) => Promise<T>,
  hostname = "127.0.0.1",
): Promise<T> {
  const server = Bun.serve({ hostname, port: 0, fetch: (request) => answer(host, request) });
  try {
    return await use(server.port ?? 0);
  } finally {
    await server.stop(true);
  }
}

function stageFrom(host: Host, url: string, env: Record<string, string> = {}): Promise<StageRun> {
  return host.stage(["--assignments", url, "--allow-insecure-http"], env);
}

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === "::1");

describe("case 76: a host", () => {
  test.skipIf(!hasIpv6)("that has IPv6 alone", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const answer: Answer = (_host, request) =>
      new URL(request.url).pathname === "/list" ? LIST(host) : STORED(host, request);
    const run = await serving(
      host,
      answer,
      (port) =>
        host.stage([
          ...["--assignments", `http://[::1]:${port}/list`, "--store", `http://[::1]:${port}`],
          "--allow-insecure-http",
        ]),
      "::1",
    );
    expect(run).toMatchObject({ exit: 0, document: { addons: [{ outcome: "staged" }] } });
  });

  const portals: [string, Answer][] = [
    [
      "with a page",
      () => new Response("<html>Please log in</html>", { headers: { "content-type": "text/html" } }),
    ],
    ["with a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })],
    ["that wants a login of its own", () => new Response("", { status: 511 })],
    ["with nothing", () => new Response("")],
  ];
  test.each(portals)("whose store is behind a portal %s keeps what runs", async (_name, portal) => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).exit).toBe(0);
    host.assign(host.program("sample", "2"));
    const run = await serving(host, portal, (port) =>
      host.stage(["--store", `http://127.0.0.1:${port}`, "--allow-insecure-http", "--store-timeout", "2s"]),
    );
    expect(run).toMatchObject({
      exit: 3,
      document: { addons: [{ version: "1", outcome: "kept_last_known_good", ok: false }] },
    });
  });

  test("that cannot resolve a name knows nothing at first, which is 12 where nothing may be missing", async () => {
    using host = new Host();
    const url = "https://nobody.invalid/list";
    const first = await stageFrom(host, url);
    expect(first).toMatchObject({ exit: 0, document: { checked: 0, assignments: "none" } });
    const strict = await host.stage(["--assignments", url, "--strict"]);
    expect(strict).toMatchObject({ exit: 12, document: { error: { code: "assignments_unavailable" } } });
  });

  test.skipIf(!CAN_MAKE_CERTIFICATES)(
    "with a proxy asks through it for what is elsewhere, and never for this machine",
    async () => {
      using host = new Host();
      using folder = temporaryFolder();
      const { ca, foreign: tls } = makeCertificates(folder);
      const cacert = folder.at("trusted.pem");
      writeFileSync(cacert, ca);
      host.assign(host.program("sample", "1"));
      using server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => LIST(host) });
      await using proxy = await connectProxy(server.port ?? 0);
      const ask = (url: string, env: Record<string, string>): Promise<StageRun> =>
        host.stage(["--assignments", url, "--allow-insecure-http", "--cacert", cacert], env);
      const url = "https://other.example/list";
      const env = {
        HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${proxy.url.port}`,
        HTTP_PROXY: "http://127.0.0.1:9",
      };
      const through = await ask(url, env);
      expect(through).toMatchObject({ exit: 0, document: { assignments: "source" } });
      expect(proxy.received).toHaveLength(1);
      const direct = await ask(url, { ...env, NO_PROXY: "other.example" });
      expect(direct.document.assignments).toBe("cache");
      const own = await serving(host, LIST, (port) => ask(`http://127.0.0.1:${port}/list`, env));
      expect(own.document.assignments).toBe("source");
      expect(proxy.received).toHaveLength(1);
      const gone = await ask(url, { HTTPS_PROXY: "http://user:hunter2@127.0.0.1:9" });
      expect(gone.document).toMatchObject({ assignments: "cache", addons: [{ outcome: "unchanged" }] });
      expect(JSON.stringify([through, direct, gone])).not.toContain("hunter2");
    },
  );
});
