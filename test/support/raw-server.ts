import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

export type RawServer = AsyncDisposable & {
  readonly url: URL;
  /** What each connection sent so far, in the order in which they came. */
  readonly received: readonly string[];
  /** Connections that the other side or the test has closed. */
  readonly closed: () => number;
};

/** A server that speaks whatever bytes a test wants: `answer` is called once per connection, after its first bytes. */
export async function rawServer(answer: (socket: Socket) => void): Promise<RawServer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let closed = 0;
  const server: Server = createServer((socket) => {
    const index = received.push("") - 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      closed++;
    });
    socket.on("data", (bytes) => {
      const isFirst = received[index] === "";
      received[index] += bytes.toString("latin1");
      if (isFirst) answer(socket);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const address = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${address.port}/`),
    received,
    closed: () => closed,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      const ended = Promise.withResolvers<void>();
      server.close(() => ended.resolve());
      await ended.promise;
    },
  };
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  await using server = await rawServer(() => {});
  return Number(server.url.port);
}
