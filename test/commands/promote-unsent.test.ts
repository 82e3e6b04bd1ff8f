import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { PROMOTE_WORDS, runOn } from "../pins/case-run.ts";
import { Board, LIST, OLD, PROMOTE, row } from "../pins/rows.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates } from "../support/certificates.ts";
import { rawServer, type RawServer } from "../support/raw-server.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

function plane(): Plan {
  const board = new Board(OLD);
  return { [LIST]: board.list, [PROMOTE]: board.promote };
}

/** What comes on the first connection goes to one place, and on all others to another. */
function parting(first: (socket: Socket) => void, others: (socket: Socket) => void): Promise<RawServer> {
  let connections = 0;
  return rawServer((socket) => (++connections === 1 ? first : others)(socket));
}

function tunnel(socket: Socket, port: number, before: string): void {
  const upstream = connect(port, "127.0.0.1", () => {
    socket.write(before);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
  upstream.on("error", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
}

describe("a write of which no byte was sent is told as one that did not happen", () => {
  test("where nobody listens any more", async () => {
    const body = JSON.stringify({ pins: [row(OLD)] });
    const server = createServer((socket) => {
      server.close();
      socket.on("error", () => {});
      socket.once("data", () =>
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const run = await runOn(PROMOTE_WORDS, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(run.told).toStartWith("failed 12 connection_failed: GET POST");
    expect(run.leg.race_window).toBeNull();
  });

  test.skipIf(!CAN_MAKE_CERTIFICATES)(
    "where the certificate is another one by then (needs openssl)",
    async () => {
      using folder = temporaryFolder();
      const made = makeCertificates(folder);
      await using good = await scriptedServer(plane(), made.server);
      await using expired = await scriptedServer(plane(), made.expired);
      // Every byte is handed on, the first ones too.
      const server = createServer();
      let connections = 0;
      server.on("connection", (socket) => {
        socket.on("error", () => {});
        tunnel(socket, ++connections === 1 ? good.port : expired.port, "");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const run = await runOn(PROMOTE_WORDS, base, ["--cacert", folder.at("ca.pem"), "--timeout", "1h"]);
        expect(run.told).toBe("failed 12 tls_failed: GET POST");
        expect([good.attempts(PROMOTE), expired.requests.length]).toEqual([0, 0]);
      } finally {
        server.close();
      }
    },
  );

  test.skipIf(!CAN_MAKE_CERTIFICATES)(
    "where the proxy lets nothing through any more (needs openssl)",
    async () => {
      using folder = temporaryFolder();
      const made = makeCertificates(folder);
      await using server = await scriptedServer(plane(), made.foreign);
      await using proxy = await parting(
        (socket) => tunnel(socket, server.port, "HTTP/1.1 200 Connection established\r\n\r\n"),
        (socket) => void socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
      );
      const flags = ["--cacert", folder.at("ca.pem"), "--proxy", proxy.url.href, "--timeout", "1h"];
      const run = await runOn(PROMOTE_WORDS, "https://other.example", flags);
      expect(run.told).toBe("failed 12 proxy_failed: GET POST");
      expect(server.attempts(PROMOTE)).toBe(0);
    },
  );
});
