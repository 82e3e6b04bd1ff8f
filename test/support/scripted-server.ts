import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { give, sentBy } from "./scripted-answer.ts";

/** One request as it came over the wire. */
export type Received = {
  readonly method: string;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** How one request is answered. Everything absent is what a well-behaved server does. */
export type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** How the end of the body is told: by its length, by a last chunk, or by closing the connection. */
  readonly framing?: "length" | "chunked" | "close";
  /** All at once, byte by byte, a byte now and then, without end, or nothing at all: not even a status. */
  readonly send?: "whole" | "drip" | "trickle" | "endless" | "nothing";
  /** Only so many bytes of the body, whatever the headers promise. */
  readonly bodyBytes?: number;
  /** Only this many bytes of all that is sent, the head counted in. */
  readonly cutAt?: number;
  /** The length that is told in place of the true one. */
  readonly length?: number;
  /** Whether the chunks end as they should. */
  readonly lastChunk?: boolean;
  /** Interim answers before this one, by their status. */
  readonly interim?: readonly number[];
  /** Bytes that follow the answer on the same connection. */
  readonly after?: string;
  readonly then?: "close" | "reset" | "stall";
};

/** An answer, or what makes one from the request; what it does besides (a write that is applied) comes first. */
export type Step = Answer | ((request: Received) => Answer);

/** Steps by method and exact path, such as `GET /a`. The last step of a route repeats. */
export type Plan = Readonly<Record<string, Step | readonly Step[]>>;

/** What the server sent in answer to a request: the body as the headers delimit it. */
export type Sent = {
  readonly request: Received;
  readonly status: number;
  /** Those of the answer itself, which may contradict its framing. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Nothing that the headers promised is missing. */
  readonly whole: boolean;
};

export type ScriptedServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly Received[];
  readonly sent: readonly Sent[];
  /** Connections that were opened, also those without a request. */
  readonly connections: () => number;
  readonly attempts: (route: string) => number;
  /** Resolves with the first request of the route, once it has come. */
  readonly received: (route: string) => Promise<Received>;
};

const UNPLANNED: Answer = { status: 404, body: '{"error":"no such route"}' };

/**
 * A server on a free port of 127.0.0.1 that answers as planned, on raw sockets: Bun.serve would repair or refuse
 * half of what hostile and broken servers do. One request for each connection.
 */
export async function scriptedServer(
  plan: Plan,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<ScriptedServer> {
  const requests: Received[] = [];
  const sent: Sent[] = [];
  const counts = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<Received>>();
  const sockets = new Set<Socket>();
  let connections = 0;

  const serve = (socket: Socket): void => {
    connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that goes away in the middle of an answer is what half of the tests are about.
    socket.on("error", () => socket.destroy());
    let bytes = Buffer.alloc(0);
    let answered = false;
    socket.on("data", (piece: Buffer) => {
      bytes = Buffer.concat([bytes, piece]);
      const request = answered ? null : parseRequest(bytes);
      if (request === null) return;
      answered = true;
      requests.push(request);
      const route = `${request.method} ${request.path}`;
      const step = stepOf(plan, route, counts);
      const answer = typeof step === "function" ? step(request) : step;
      if (answer.send !== "nothing") sent.push({ request, ...sentBy(answer) });
      give(socket, answer);
      promised(waiting, route).resolve(request);
    });
  };

  const server: Server =
    certificate === undefined ? createServer(serve) : createTlsServer({ ...certificate }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    sent,
    connections: () => connections,
    attempts: (route) => counts.get(route) ?? 0,
    received: (route) => promised(waiting, route).promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function promised(
  waiting: Map<string, PromiseWithResolvers<Received>>,
  route: string,
): PromiseWithResolvers<Received> {
  const found = waiting.get(route) ?? Promise.withResolvers<Received>();
  waiting.set(route, found);
  return found;
}

function stepOf(plan: Plan, route: string, counts: Map<string, number>): Step {
  const attempt = counts.get(route) ?? 0;
  counts.set(route, attempt + 1);
  const planned = plan[route];
  if (planned === undefined) return UNPLANNED;
  const steps: readonly Step[] = Array.isArray(planned) ? planned : [planned];
  return steps[attempt] ?? steps.at(-1) ?? UNPLANNED;
}

/** The request when all of it is there. Only what our client sends is understood: a length or no body. */
function parseRequest(bytes: Buffer): Received | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const cut = line.indexOf(":");
      return [line.slice(0, cut).toLowerCase(), line.slice(cut + 1).trim()];
    }),
  );
  const length = Number(headers["content-length"] ?? "0");
  const body = bytes.subarray(end + 4);
  return body.length < length ? null : { method, path, headers, body: body.toString("utf8") };
}
