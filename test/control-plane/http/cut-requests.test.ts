import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";
import { pointsOf } from "../../support/points.ts";
import { digestOf } from "../plane.ts";
import { pinned, withServer } from "../served.ts";

/**
 * A client goes away after each byte of a promotion and of an upload, by a close or a reset. Nothing of it counts, the
 * next request is answered, and the same one counts when it comes whole.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const POINTS = pointsOf("a request that ends at each of its bytes, by a close or a reset");

function post(path: string, token: string, body: string, method = "POST"): string {
  return [
    `${method} ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

/** Sends this much and goes away; for all of it, waits for the status. */
async function sendTo(address: string, text: string, isReset: boolean, isWhole = false): Promise<string> {
  const { hostname, port } = new URL(address);
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect({ host: hostname, port: Number(port) }, () => {
    socket.write(text, () => {
      if (isWhole) return;
      if (isReset) socket.resetAndDestroy();
      else socket.end();
    });
  });
  socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
    if (isWhole) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(answer.split("\r\n")[0] ?? ""));
  return promise;
}

test(
  "a request that ends too early changes nothing, wherever it ends",
  async () => {
    await withServer(async (server) => {
      const token = await server.token(["admin"]);
      const bytes = "0123456789".repeat(100);
      const promotion = (name: string): string =>
        post(
          "/cp/admin/runtime-image/promote",
          token,
          JSON.stringify({ template_name: name, image_digest: digestOf(name) }),
        );
      const upload = post(`/v1/artifacts/${sha256Of(bytes)}`, token, bytes, "PUT");
      const requests = [promotion("cut"), upload];
      for (const [index, request] of requests.entries()) {
        for (let at = 0; at < request.length; at += FULL ? 1 : 37) {
          await POINTS.try(async () => {
            const answer = await sendTo(server.address, request.slice(0, at), at % 2 === 0);
            // A close may still be answered; what is not whole is then refused.
            expect([index, at, / 2\d\d /u.test(answer)]).toEqual([index, at, false]);
            expect([index, at, await pinned(server, token)]).toEqual([index, at, []]);
          });
        }
      }
      // The last of them may still be being noticed.
      const incoming = (): string[] => readdirSync(join(server.data, "incoming"));
      for (let tries = 0; incoming().length > 0 && tries < 400; tries++) await Bun.sleep(25);
      expect(incoming()).toEqual([]);
      for (const [index, status] of [200, 201].entries()) {
        const answer = await sendTo(server.address, requests[index] ?? "", false, true);
        expect(answer).toContain(` ${status} `);
      }
      expect(await pinned(server, token)).toEqual(["cut"]);
      expect(server.stderr()).toBe("");
    });
  },
  FULL ? 300_000 : 60_000,
);
