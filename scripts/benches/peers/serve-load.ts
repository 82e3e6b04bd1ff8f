/**
 * Sends COUNT requests over LANES connections, one at a time on each, and ends with 0 when every answer had the wanted
 * status. The answers of one run have one length, so that counting them costs next to nothing.
 * usage: serve-load.ts PORT COUNT LANES STATUS TEMPLATE [DISTINCT [FROM [awake]]]     TEMPLATE is a file; %n in it is a
 * number, FROM (0) in the first request, one more in the next, and again FROM after DISTINCT (1000) of them. To wake a
 * load that sleeps costs a server more than a short answer does, and the slower one pays that each time: "awake" never
 * sleeps. Not for writes, which need this processor for the disk.
 */
import { readFileSync } from "node:fs";

const [port = "", total = "", width = "", status = "", file = "", distinct = "1000", from = "0", awake] =
  Bun.argv.slice(2);
const template = readFileSync(file, "latin1");
const wanted = Number(total);
const expected = `HTTP/1.1 ${status} `;
let sent = 0;
let answered = 0;
const { promise, resolve, reject } = Promise.withResolvers<void>();

type Lane = { length: number; received: number };

function request(): string {
  // Seven digits, so that every request and every answer has one length.
  return template.replaceAll("%n", String(Number(from) + (sent++ % Number(distinct))).padStart(7, "0"));
}

function firstLength(text: string): number {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const body = /content-length: (\d+)/iu.exec(text.slice(0, end))?.[1] ?? "0";
  return end + 4 + Number(body);
}

for (let at = 0; at < Number(width); at++) {
  void Bun.connect<Lane>({
    hostname: "127.0.0.1",
    port: Number(port),
    data: { length: 0, received: 0 },
    socket: {
      open: (socket) => void socket.write(request()),
      data: (socket, chunk) => {
        const lane = socket.data;
        const isFirst = lane.received === 0;
        if (isFirst && !chunk.toString("latin1").startsWith(expected)) {
          reject(new Error(chunk.toString("latin1").slice(0, 400)));
          return;
        }
        if (lane.length === 0) lane.length = firstLength(chunk.toString("latin1"));
        lane.received += chunk.length;
        if (lane.length === 0 || lane.received < lane.length) return;
        if (lane.received > lane.length) {
          reject(new Error(`an answer of ${lane.received} bytes after ones of ${lane.length}`));
          return;
        }
        lane.received = 0;
        if (++answered === wanted) resolve();
        else if (sent < wanted) socket.write(request());
      },
      error: (_, error) => reject(error),
      close: () => reject(new Error("the server closed a connection")),
    },
  });
}
const stayAwake = (): void => void setImmediate(stayAwake);
if (awake !== undefined) stayAwake();
await promise;
process.exit(0);
