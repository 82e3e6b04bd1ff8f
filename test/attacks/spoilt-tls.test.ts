import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { PROMOTE_WORDS, runOn } from "../pins/case-run.ts";
import { Board, LIST, NEW, OLD, PROMOTE } from "../pins/rows.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates, type Certificates } from "../support/certificates.ts";
import { scriptedServer, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

/** What somebody on the way makes of bytes that a server sends. */
type Spoil = (bytes: Buffer) => Buffer;

const flipped: Spoil = (bytes) => {
  const spoilt = Buffer.from(bytes);
  const at = Math.min(20, spoilt.length - 1);
  spoilt[at] = (spoilt[at] ?? 0) ^ 0xff;
  return spoilt;
};
const SPOILS: readonly [string, Spoil][] = [
  ["a byte that is flipped", flipped],
  // Fatal, bad_record_mac (RFC 8446 §6); unprotected, as anybody can make it.
  ["an alert of a stranger", () => Buffer.from([0x15, 3, 3, 0, 2, 2, 20])],
  ["an answer without TLS", () => Buffer.from("HTTP/1.1 500 Internal Server Error\r\n\r\n")],
];

type Relay = AsyncDisposable & { readonly url: string };

/** Hands everything on, and spoils what the server sends on the connections, counted from 1, that `isOn` names. */
async function relay(
  to: ScriptedServer,
  spoil: Spoil,
  isOn: (connection: number) => boolean,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const connection = ++connections;
    const upstream = connect(to.port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.pipe(upstream);
    upstream.on("data", (bytes: Buffer) => client.write(isOn(connection) ? spoil(bytes) : bytes));
    upstream.on("end", () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.skipIf(!CAN_MAKE_CERTIFICATES)("TLS that is spoilt after the write arrived (needs openssl)", () => {
  let folder: TemporaryFolder;
  let certificates: Certificates;
  beforeAll(() => {
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
    writeFileSync(folder.at("authority.pem"), certificates.ca);
  });
  afterAll(() => folder?.[Symbol.dispose]());

  type Run = Awaited<ReturnType<typeof runOn>> & { readonly posts: number; readonly pinned: string | null };

  /** The first connection reads, the second one writes; what comes back is good until the write has arrived. */
  async function promote(spoil: Spoil, last: number): Promise<Run> {
    const board = new Board(OLD);
    const plan = { [LIST]: board.list, [PROMOTE]: board.promote };
    await using server = await scriptedServer(plan, certificates.server);
    await using between = await relay(
      server,
      spoil,
      (connection) => server.attempts(PROMOTE) > 0 && connection <= last,
    );
    const flags = ["--cacert", folder.at("authority.pem"), "--timeout", "2s", "--retry-interval", "1s"];
    const run = await runOn(PROMOTE_WORDS, between.url, flags);
    return { ...run, posts: server.attempts(PROMOTE), pinned: board.digest };
  }

  test.each(SPOILS)("%s, once: the read decides, and nothing is written twice", async (_what, spoil) => {
    const run = await promote(spoil, 2);
    expect(run.told).toBe("landed_after_lost_response 0: GET POST GET");
    expect([run.posts, run.pinned]).toEqual([1, NEW]);
  });

  test.each(SPOILS)(
    "%s, from then on: nobody knows, and it is not told as a failure",
    async (_what, spoil) => {
      const run = await promote(spoil, Number.POSITIVE_INFINITY);
      expect(run.told).toMatch(/^outcome_unknown 14 outcome_unknown: GET POST GET/u);
      expect(run.pinned).toBe(NEW);
    },
  );
});
