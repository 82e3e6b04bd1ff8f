import { describe, expect, test } from "bun:test";
import { ask, type Answer } from "../ask.ts";
import { digestOf, withPlane, type Plane } from "../plane.ts";

const POST = "/cp/admin/runtime-image/promote";
const [A, B] = [digestOf("a"), digestOf("b")];

/** A plane with a token that may promote. */
function withPin(work: (tools: { plane: Plane; token: string }) => Promise<void>): Promise<void> {
  return withPlane(async (plane) => {
    await work({ plane, token: await plane.token(["pins:read", "pins:write"]) });
  });
}

describe("an idempotency key", () => {
  const json = { template_name: "codex", image_digest: A };
  const post = (plane: Plane, token: string, key: string, body: object = json): Promise<Answer> =>
    ask(plane, "POST", POST, { token, headers: { "idempotency-key": key }, json: body });

  test("makes a repetition the same answer and no second event", async () => {
    await withPin(async ({ plane, token }) => {
      const first = await post(plane, token, '"run-1"');
      plane.now = new Date("2026-11-21T13:00:00Z");
      const second = await post(plane, token, "run-1");
      expect(second).toEqual(first);
      expect(await plane.events()).toHaveLength(1);
      expect((await post(plane, token, '"run-2"')).status).toBe(200);
      expect(await plane.events()).toHaveLength(2);
    });
  });

  test("of a versioned write or a rollback spares its sender the 412 of its own success", async () => {
    await withPin(async ({ plane, token }) => {
      const put = (image_digest: string, headers: Record<string, string>): Promise<Answer> =>
        ask(plane, "PUT", "/v1/pins/codex/global", { token, headers, json: { image_digest } });
      const first = await put(A, { "if-none-match": "*", "idempotency-key": "one" });
      expect(first.status).toBe(200);
      expect(await put(A, { "if-none-match": "*", "idempotency-key": "one" })).toEqual(first);
      expect((await put(A, { "if-none-match": "*" })).status).toBe(412);
      const second = await put(B, { "if-match": first.etag ?? "", "idempotency-key": "two" });
      const back = (): Promise<Answer> =>
        ask(plane, "POST", "/v1/pins/codex/global/rollback", {
          token,
          headers: { "if-match": second.etag ?? "", "idempotency-key": "three" },
          json: { reason: "it fails" },
        });
      const rolled = await back();
      expect(rolled.status).toBe(200);
      expect(await back()).toEqual(rolled);
      expect(await plane.events()).toHaveLength(3);
      // The same key for another condition is another request.
      expect(await put(A, { "if-match": rolled.etag ?? "", "idempotency-key": "one" })).toMatchObject({
        status: 422,
        body: { code: "key_reused" },
      });
    });
  });

  test("for another request is refused", async () => {
    await withPin(async ({ plane, token }) => {
      await post(plane, token, "k");
      expect(await post(plane, token, "k", { ...json, image_digest: B })).toMatchObject({
        status: 422,
        body: { code: "key_reused" },
      });
    });
  });

  test("of somebody else is another key", async () => {
    await withPin(async ({ plane, token }) => {
      const other = await plane.token(["pins:write"]);
      await post(plane, token, "k");
      expect((await post(plane, other, "k", { ...json, image_digest: B })).status).toBe(200);
    });
  });

  test("of a refused write is not used up", async () => {
    await withPin(async ({ plane, token }) => {
      const admin = await plane.token(["admin"]);
      await ask(plane, "PUT", "/v1/freeze", { token: admin, json: { reason: "x" } });
      expect((await post(plane, token, "k")).status).toBe(409);
      await ask(plane, "DELETE", "/v1/freeze", { token: admin });
      expect((await post(plane, token, "k")).status).toBe(200);
    });
  });

  test("is forgotten after three days", async () => {
    await withPin(async ({ plane, token }) => {
      await post(plane, token, "k");
      plane.now = new Date("2026-11-24T12:00:01Z");
      expect((await post(plane, token, "k", { ...json, image_digest: B })).status).toBe(200);
    });
  });

  test.each(["", '"', "a b", "é"])("%j is none", async (key) => {
    await withPin(async ({ plane, token }) => {
      expect((await post(plane, token, key)).status).toBe(400);
    });
  });
});
