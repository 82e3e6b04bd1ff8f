import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { emptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { digestOf } from "./plane.ts";

/**
 * Two servers of one PostgreSQL database. What one of them remembers of its own
 * requests must not outlive what was changed through the other: each change is asked
 * for at the second one right after its answer, which had the same question before.
 */
let empty: TestDatabase;
let first: ControlPlaneProcess;
let second: ControlPlaneProcess;
let admin: string;
type Asked = { readonly token?: string; readonly headers?: Record<string, string>; readonly json?: object };
type Answer = { readonly status: number; readonly etag: string | null; readonly text: string };

async function ask(
  server: ControlPlaneProcess,
  method: string,
  path: string,
  { token = admin, headers = {}, json }: Asked = {},
): Promise<Answer> {
  const answer = await fetch(`${server.address}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return { status: answer.status, etag: answer.headers.get("etag"), text: await answer.text() };
}

function promote(
  server: ControlPlaneProcess,
  template: string,
  image: string,
  more: Asked = {},
): Promise<Answer> {
  const json = { template_name: template, image_digest: digestOf(image) };
  return ask(server, "POST", "/cp/admin/runtime-image/promote", { ...more, json });
}

describe("two servers of one database", () => {
  beforeAll(async () => {
    empty = await emptyDatabase();
    [first, second] = [
      await startControlPlane({ database: empty.url }),
      await startControlPlane({ database: empty.url }),
    ];
    admin = await first.token(["admin", "audit:read"]);
  });
  afterAll(async () => {
    expect([await first.stop(), await second.stop()]).toEqual([0, 0]);
    await empty[Symbol.asyncDispose]();
  });

  test("a token that is revoked beside them opens neither any more, nor one that is made before it is asked for", async () => {
    const token = await first.token(["pins:read"]);
    for (const server of [first, second, second]) {
      expect((await ask(server, "GET", "/v1/pins", { token })).status).toBe(200);
    }
    const list = await runWaybill(["token", "list", "--database-env", "CP", "--json"], {
      env: { CP: empty.url },
    });
    const { tokens } = JSON.parse(list.stdout) as { tokens: { id: string; scopes: string[] }[] };
    const id = tokens.find(({ scopes }) => scopes.join() === "pins:read")?.id ?? "";
    const revoked = await runWaybill(["token", "revoke", id, "--database-env", "CP"], {
      env: { CP: empty.url },
    });
    expect(revoked.code).toBe(0);
    for (const server of [second, first]) {
      expect((await ask(server, "GET", "/v1/pins", { token })).status).toBe(401);
      const page = await fetch(server.address, {
        headers: { cookie: `waybill=${token}` },
        redirect: "manual",
      });
      expect(page.status).toBe(401);
    }
    // One that was not there when it was asked for, and is now.
    const late = await second.token(["pins:read"]);
    expect((await ask(first, "GET", "/v1/pins", { token: late })).status).toBe(200);
  });

  const STOPS = [
    ["a freeze", "/v1/freeze", "frozen"],
    ["a hold", "/v1/pins/stopped/global/hold", "held"],
    ["a veto", `/v1/vetoes/stopped/${digestOf("b")}`, "vetoed"],
  ] as const;
  test.each(STOPS)("%s that one sets stops the other, until it is lifted", async (_what, path, code) => {
    for (const [setter, other] of [
      [first, second],
      [second, first],
    ] as const) {
      expect((await promote(other, "stopped", "b")).status).toBe(200);
      expect((await ask(setter, "PUT", path, { json: { reason: "it breaks" } })).status).toBe(200);
      const refused = await promote(other, "stopped", "b");
      expect([refused.status, JSON.parse(refused.text)]).toEqual([409, expect.objectContaining({ code })]);
      expect((await ask(setter, "DELETE", path)).status).toBe(204);
      expect((await promote(other, "stopped", "b")).status).toBe(200);
    }
  });

  test("what hosts are given follows an assignment, a label and a package through the other", async () => {
    const config = async (etag: string | null = null): Promise<Answer> =>
      ask(second, "GET", "/v1/addons/assignments?platform=linux/amd64&host=web-1", {
        ...(etag === null ? {} : { headers: { "if-none-match": etag } }),
      });
    const publish = (more: object): Promise<Answer> =>
      ask(first, "POST", "/v1/addons/packages", {
        json: { addon_id: "dns", version: "1", binary: "dns", delivery: "compiled_in", ...more },
      });
    const assign = (json: object): Promise<Answer> =>
      ask(first, "PUT", "/v1/addons/assignments/dns", { json: { version: "1", ...json } });
    const label = (labels: object): Promise<Answer> =>
      ask(first, "PUT", "/v1/hosts/web-1/labels", { json: { labels } });
    let before = await config();
    const steps: readonly (() => Promise<Answer>)[] = [
      () => publish({}).then(() => assign({})),
      () => publish({ args: ["-v"] }),
      () => assign({ selector: { role: "edge" }, args: ["edge"] }).then(() => label({ role: "edge" })),
      () => label({}),
      () => assign({ host: "web-1", enabled: false }),
      () => ask(first, "DELETE", "/v1/addons/assignments/dns?host=web-1"),
    ];
    for (const [at, step] of steps.entries()) {
      expect([at, (await config(before.etag)).status]).toEqual([at, 304]);
      expect([200, 204]).toContain((await step()).status);
      const now = await config(before.etag);
      expect([at, now.status]).toEqual([at, 200]);
      before = now;
    }
  });

  describe("an Idempotency-Key", () => {
    const events = async (template: string): Promise<number> => {
      const { text } = await ask(first, "GET", `/v1/pins/${template}/global/history`);
      return (JSON.parse(text) as { history: unknown[] }).history.length;
    };

    test("of one is known to the other", async () => {
      const headers = { "idempotency-key": "one" };
      const once = await promote(first, "keyed", "a", { headers });
      expect(await promote(second, "keyed", "a", { headers })).toEqual(once);
      expect((await promote(second, "keyed", "b", { headers })).status).toBe(422);
      expect(await events("keyed")).toBe(1);
    });

    test("at both at once, many times over, is one write with one answer", async () => {
      const headers = { "idempotency-key": "both" };
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          promote(at % 2 === 0 ? first : second, "raced", "a", { headers }),
        ),
      );
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(200);
      expect(await events("raced")).toBe(1);
    });

    test("at both at once for two requests lets one of them be, and refuses the other", async () => {
      for (let round = 0; round < 10; round++) {
        const headers = { "idempotency-key": `round-${round}` };
        const answers = await Promise.all([
          promote(first, `two-${round}`, "a", { headers }),
          promote(second, `two-${round}`, "b", { headers }),
        ]);
        expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
        expect(await events(`two-${round}`)).toBe(1);
      }
    });
  });

  test("what one refused for a moment is not remembered by the other", async () => {
    const path = "/v1/pins/moving/global";
    const put = (
      server: ControlPlaneProcess,
      image: string,
      headers: Record<string, string>,
    ): Promise<Answer> => ask(server, "PUT", path, { headers, json: { image_digest: digestOf(image) } });
    let { etag } = await put(first, "a", { "if-none-match": "*" });
    expect((await put(second, "a", { "if-none-match": "*" })).status).toBe(412);
    for (let round = 0; round < 10; round++) {
      const server = round % 2 === 0 ? second : first;
      const next = await put(server, `${round}`, { "if-match": etag ?? "" });
      expect(next.status).toBe(200);
      expect((await put(first, "x", { "if-match": etag ?? "" })).status).toBe(412);
      expect((await put(second, "x", { "if-match": etag ?? "" })).status).toBe(412);
      ({ etag } = next);
    }
  });
});
