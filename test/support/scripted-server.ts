import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

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
  /** All at once, byte by byte, without end, or nothing at all: not even a status. */
  readonly send?: "whole" | "drip" | "endless" | "nothing";
  /** Only so many bytes of the body, whatever the headers promise. */
  readonly bodyBytes?: number;
  readonly then?: "close" | "reset" | "stall";
};

/** An answer, or what makes one from the request; what it does besides (a write that is applied) comes first. */
export type Step = Answer | ((request: Received) => Answer);

/** Steps by method and exact path, such as `GET /a`. The last step of a route repeats. */
export type Plan = Readonly<Record<string, Step | readonly Step[]>>;

/** What the server sent in answer to a request; `whole` when nothing that the headers promised is missing. */
export type Sent = {
  readonly request: Received;
  readonly status: number;
  readonly body: Uint8Array;
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
const CHUNK = Buffer.alloc(16_384, " ");
const ENDLESS_CHUNKS = 4_096;

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
      if (answer.send !== "nothing") sent.push(recordOf(request, answer));
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
  const steps: readonly Step[] = Array.isArray(planned) ? planned : [planned as Step];
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

function bodyOf(answer: Answer): Buffer {
  return Buffer.from(
    typeof answer.body === "string" ? new TextEncoder().encode(answer.body) : (answer.body ?? ""),
  );
}

function recordOf(request: Received, answer: Answer): Sent {
  const body = bodyOf(answer);
  const bytes = body.subarray(0, answer.bodyBytes ?? body.length);
  const closed = (answer.then ?? "close") !== "stall";
  // Without a length or a last chunk the end of the connection is the end of the body: nothing can be missing.
  const whole =
    answer.send !== "endless" && (answer.framing === "close" ? closed : bytes.length === body.length);
  return { request, status: answer.status ?? 200, body: new Uint8Array(bytes), whole };
}

function give(socket: Socket, answer: Answer): void {
  const finish = (): void => {
    if (answer.then === "reset") socket.resetAndDestroy();
    else if (answer.then !== "stall") socket.end();
  };
  if (answer.send === "nothing") return finish();
  const whole = bodyOf(answer);
  const body = whole.subarray(0, answer.bodyBytes ?? whole.length);
  const framing = answer.framing ?? "length";
  const lines = [`HTTP/1.1 ${answer.status ?? 200} Scripted`, "connection: close"];
  if (framing === "length" && answer.send !== "endless") lines.push(`content-length: ${whole.length}`);
  if (framing === "chunked") lines.push("transfer-encoding: chunked");
  const headers = { "content-type": "application/json", ...answer.headers };
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const head = `${lines.join("\r\n")}\r\n\r\n`;

  if (answer.send === "endless") {
    // Only as fast as the client reads, and a turn of the event loop apart: its going away must be noticed. A
    // client that never stops reading is left hanging after a while, which its test then shows.
    const more = (left: number): void => {
      if (socket.destroyed || left === 0) return;
      if (socket.write(CHUNK)) setImmediate(more, left - 1);
      else socket.once("drain", () => more(left - 1));
    };
    socket.write(head);
    return more(ENDLESS_CHUNKS);
  }
  const tail = framing === "chunked" && body.length === whole.length ? "0\r\n\r\n" : "";
  if (answer.send === "drip") {
    const bytes = Buffer.concat([Buffer.from(head), framed(body, framing), Buffer.from(tail)]);
    const next = (at: number): void => {
      if (at >= bytes.length) return finish();
      socket.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
    };
    return next(0);
  }
  socket.write(Buffer.concat([Buffer.from(head), framed(body, framing), Buffer.from(tail)]), finish);
}

function framed(body: Buffer, framing: string): Buffer {
  if (framing !== "chunked" || body.length === 0) return body;
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]);
}
