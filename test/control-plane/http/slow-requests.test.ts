import { expect, test } from "bun:test";
import { connect } from "node:net";
import { digestOf } from "../plane.ts";
import { withServer } from "../served.ts";

/** They take as long as the server's patience. */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";

/** Sends a body, `piece` bytes of it twice a second, until there is an answer: its status. */
async function pour(address: string, head: readonly string[], body: string, piece: number): Promise<string> {
  const { hostname, port } = new URL(address);
  const answers: string[] = [];
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("data", (bytes) => answers.push(bytes.toString("latin1")));
  socket.on("error", () => {});
  socket.write([...head, `Content-Length: ${body.length}`, "", ""].join("\r\n"));
  for (let at = 0; answers.length === 0 && !socket.destroyed; at += piece) {
    socket.write(body.slice(at, at + piece));
    await Bun.sleep(500);
  }
  socket.destroy();
  return / (\d{3}) /u.exec(answers[0] ?? "")?.[1] ?? "none";
}

test.skipIf(!FULL)(
  "a body is cut off for its pace and not for its length",
  async () => {
    await withServer(async (server) => {
      const token = await server.token(["admin"]);
      const to = (line: string): string[] => [
        `${line} HTTP/1.1`,
        "Host: 127.0.0.1",
        `Authorization: Bearer ${token}`,
      ];
      const PROMOTE = to("POST /cp/admin/runtime-image/promote");
      const promotion = { template_name: "codex", image_digest: digestOf("a") };
      const padded = (length: number): string =>
        JSON.stringify({ ...promotion, padding: "x".repeat(length) });
      const upload = "0123456789".repeat(100_000);
      expect(
        await Promise.all([
          pour(server.address, PROMOTE, padded(600_000), 7_500),
          pour(server.address, PROMOTE, padded(600_000), 1),
          pour(server.address, PROMOTE, padded(1_000), 1),
          pour(server.address, to(`PUT /v1/artifacts/${digestOf(upload).slice(7)}`), upload, 1),
        ]),
      ).toEqual(["200", "408", "408", "408"]);
    });
  },
  120_000,
);
