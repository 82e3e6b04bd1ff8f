import type { Socket } from "node:net";
import type { Answer, Sent } from "./scripted-server.ts";

const CHUNK = Buffer.alloc(16_384, " ");
const ENDLESS_CHUNKS = 4_096;
/** Milliseconds between two bytes of a body that trickles. */
const TRICKLE_MS = 20;

/** What an answer sends, by the rules of RFC 9112 §6.3 alone. */
export function sentBy(answer: Answer): Omit<Sent, "request"> {
  const { status = 200, headers = {}, framing = "length" } = answer;
  const full = bodyOf(answer);
  const bytes = cutBody(answer);
  const told = framing === "length" ? (answer.length ?? full.length) : Number.POSITIVE_INFINITY;
  const after = framing === "chunked" ? "" : (answer.after ?? "");
  const body = Buffer.concat([bytes, Buffer.from(after)]).subarray(0, told);
  const isEnded = {
    length: body.length === told,
    chunked: bytes.length === full.length && answer.lastChunk !== false,
    // The end of the connection is the end of the body: nothing can be missing.
    close: answer.then !== "stall",
  }[framing];
  return { status, headers, body: new Uint8Array(body), whole: answer.send !== "endless" && isEnded };
}

/** Sends an answer, and ends the connection as it says. */
export function give(socket: Socket, answer: Answer): void {
  const finish = (): void => {
    if (answer.then === "reset") socket.resetAndDestroy();
    else if (answer.then !== "stall") socket.end();
  };
  if (answer.send === "nothing") return finish();
  const head = headOf(answer);
  if (answer.send === "endless") {
    socket.write(head);
    return endlessly(socket, ENDLESS_CHUNKS);
  }
  const bytes = allOf(answer).subarray(0, answer.cutAt);
  if (answer.send === "drip" || answer.send === "trickle") {
    const isSlow = answer.send === "trickle";
    const next = (at: number): void => {
      if (at >= bytes.length || socket.destroyed) return finish();
      const then = (): void =>
        void (isSlow ? setTimeout(next, TRICKLE_MS, at + 1) : setImmediate(next, at + 1));
      socket.write(bytes.subarray(at, at + 1), then);
    };
    return next(0);
  }
  socket.write(bytes, finish);
}

/** Every byte that an answer has, from its status line on. */
export function allOf(answer: Answer): Buffer {
  return Buffer.concat([headOf(answer), framedBody(answer), Buffer.from(answer.after ?? "")]);
}

/**
 * Only as fast as the client reads, and a turn of the event loop apart: its going away must be noticed. A client
 * that never stops reading is left hanging after a while, which its test then shows.
 */
function endlessly(socket: Socket, left: number): void {
  if (socket.destroyed || left === 0) return;
  if (socket.write(CHUNK)) setImmediate(endlessly, socket, left - 1);
  else socket.once("drain", () => endlessly(socket, left - 1));
}

function bodyOf({ body = "" }: Answer): Buffer {
  return Buffer.from(typeof body === "string" ? new TextEncoder().encode(body) : body);
}

function cutBody(answer: Answer): Buffer {
  const whole = bodyOf(answer);
  return whole.subarray(0, answer.bodyBytes ?? whole.length);
}

function headOf(answer: Answer): Buffer {
  const { framing = "length", interim = [] } = answer;
  const lines = [`HTTP/1.1 ${answer.status ?? 200} Scripted`, "connection: close"];
  if (framing === "length" && answer.send !== "endless") {
    lines.push(`content-length: ${answer.length ?? bodyOf(answer).length}`);
  }
  if (framing === "chunked") lines.push("transfer-encoding: chunked");
  const headers = { "content-type": "application/json", ...answer.headers };
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const before = interim.map((status) => `HTTP/1.1 ${status} Interim\r\nlink: </x>\r\n\r\n`).join("");
  return Buffer.from(`${before}${lines.join("\r\n")}\r\n\r\n`);
}

function framedBody(answer: Answer): Buffer {
  const body = cutBody(answer);
  if (answer.framing !== "chunked") return body;
  const isWhole = body.length === bodyOf(answer).length && answer.lastChunk !== false;
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  const chunk = body.length === 0 ? body : Buffer.concat([size, body, Buffer.from("\r\n")]);
  return Buffer.concat([chunk, Buffer.from(isWhole ? "0\r\n\r\n" : "")]);
}
