import { describe, expect, test } from "bun:test";
import { ask, type Answer, type Shown } from "../ask.ts";
import { bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";

const POST = "/cp/admin/runtime-image/promote";
const LIST = "/cp/admin/runtime-image";
const PIN = "/v1/pins/codex/global";
const [A, B, C] = [digestOf("a"), digestOf("b"), digestOf("c")];
const NEW_PIN = { "if-none-match": "*" };

/** A plane with a token and a writer of its own: `put(digest, headers, members)`. */
async function withPin(
  work: (tools: {
    plane: Plane;
    token: string;
    put: (digest: string, headers: Record<string, string>, members?: object) => Promise<Answer>;
  }) => Promise<void>,
): Promise<void> {
  await withPlane(async (plane) => {
    const token = await plane.token(["pins:read", "pins:write"]);
    const put = (digest: string, headers: Record<string, string>, members: object = {}): Promise<Answer> =>
      ask(plane, "PUT", PIN, { token, headers, json: { image_digest: digest, ...members } });
    await work({ plane, token, put });
  });
}

test("the list has versions, for the names that are asked for and allowed", async () => {
  await withPin(async ({ plane, token, put }) => {
    const { etag } = await put(A, NEW_PIN);
    for (const [template, region] of [
      ["codex", "eu"],
      ["bot", "global"],
    ]) {
      await ask(plane, "PUT", `/v1/pins/${template}/${region}`, {
        token,
        headers: NEW_PIN,
        json: { image_digest: B },
      });
    }
    const list = async (query: string, by = token): Promise<string[]> => {
      const { pins } = await bodyOf<{ pins: Record<string, unknown>[] }>(
        await plane.call("GET", `/v1/pins${query}`, { token: by }),
      );
      return pins.map(
        (pin) => `${String(pin["template_name"])}/${String(pin["region"])} "${String(pin["version"])}"`,
      );
    };
    expect(await list("")).toHaveLength(3);
    expect(await list("?template=codex&region=global")).toEqual([`codex/global ${etag}`]);
    const bot = await plane.token(["pins:read"], "default", null, { templates: ["bot"] });
    expect((await list("", bot)).map((one) => one.split(" ")[0])).toEqual(["bot/global"]);
    expect((await plane.call("GET", "/v1/pins?template=", { token })).status).toBe(400);
  });
});

describe("a conditional write", () => {
  test("of a pin that is not there, then over what was read, each with a new version", async () => {
    await withPin(async ({ plane, token, put }) => {
      const none = await ask(plane, "GET", PIN, { token });
      expect(none).toEqual({
        status: 404,
        etag: null,
        body: { error: "there is no such pin", code: "pin_not_found", stops: [], vetoes: 0 },
      });
      const first = await put(A, NEW_PIN, { git_sha: "0123abc", notes: "n", seq: 4 });
      expect(first.status).toBe(200);
      expect(first.etag).toMatch(/^"\d+"$/u);
      const read = await ask(plane, "GET", PIN, { token });
      expect(read).toMatchObject({
        status: 200,
        etag: first.etag,
        body: { image_digest: A, git_sha: "0123abc", notes: "n", seq: 4, stops: [] },
      });
      const second = await put(B, { "if-match": first.etag ?? "" });
      expect(second.status).toBe(200);
      expect(second.etag).not.toBe(first.etag);
      const again = await put(A, { "if-match": second.etag ?? "" });
      // The same digest as at first, and not the same version.
      expect([first.etag, second.etag]).not.toContain(again.etag);
    });
  });

  test("over a version that is gone is 412 with the row that is there", async () => {
    await withPin(async ({ put }) => {
      const first = await put(A, NEW_PIN);
      const second = await put(B, { "if-match": first.etag ?? "" });
      const late = await put(C, { "if-match": first.etag ?? "" });
      expect(late).toMatchObject({
        status: 412,
        etag: second.etag,
        body: { code: "stale_version", current: { image_digest: B, version: second.body.version } },
      });
      const fresh = await put(C, NEW_PIN);
      expect(fresh).toMatchObject({ status: 412, body: { current: { image_digest: B } } });
    });
  });

  test("over nothing is 412 without a row", async () => {
    await withPin(async ({ put }) => {
      const late = await put(A, { "if-match": '"1"' });
      expect(late).toMatchObject({ status: 412, etag: null, body: { code: "stale_version", current: null } });
    });
  });

  const conditions: [string, Record<string, string>, number][] = [
    ["none", {}, 428],
    ["both", { "if-match": '"1"', "if-none-match": "*" }, 428],
    ["if-none-match with a version", { "if-none-match": '"1"' }, 428],
    ["a weak version", { "if-match": 'W/"<version>"' }, 412],
    ["a version without quotes", { "if-match": "<version>" }, 412],
    ["any version", { "if-match": "*" }, 200],
    ["one of several", { "if-match": '"x", "<version>"' }, 200],
  ];
  for (const [name, headers, status] of conditions) {
    test(`with the condition: ${name}`, async () => {
      await withPin(async ({ put }) => {
        const first = await put(A, NEW_PIN);
        const version = String(first.body.version);
        const filled = Object.fromEntries(
          Object.entries(headers).map(([key, text]) => [key, text.replace("<version>", version)]),
        );
        const answer = await put(B, filled);
        expect(answer.status).toBe(status);
        if (status === 428) expect(answer.body["code"]).toBe("precondition_required");
      });
    });
  }

  test("of a hundred at once, one wins", async () => {
    await withPin(async ({ plane, put }) => {
      const first = await put(A, NEW_PIN);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          put(digestOf(`${index}`), { "if-match": first.etag ?? "" }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(99);
      expect((await plane.events()).filter(({ decision }) => decision === "allowed")).toHaveLength(2);
    });
  });

  test("names its pin in the path alone, or not otherwise", async () => {
    await withPin(async ({ put }) => {
      expect((await put(A, NEW_PIN, { template_name: "hermes" })).body).toMatchObject({
        code: "invalid_field",
        error: "template_name is not the one in the path",
      });
      expect((await put(A, NEW_PIN, { region: "eu" })).status).toBe(400);
      expect((await put(A, NEW_PIN, { template_name: "codex", region: "global" })).status).toBe(200);
    });
  });

  test("is another one in each environment and region", async () => {
    await withPlane(async (plane) => {
      const prod = await plane.token(["admin"], "prod");
      const staging = await plane.token(["admin"], "staging");
      const one = await ask(plane, "PUT", PIN, { token: prod, headers: NEW_PIN, json: { image_digest: A } });
      expect(one.status).toBe(200);
      for (const [token, path] of [
        [staging, PIN],
        [prod, "/v1/pins/codex/eu"],
      ] as const) {
        expect((await ask(plane, "GET", path, { token })).status).toBe(404);
        const headers = { "if-match": one.etag ?? "" };
        expect((await ask(plane, "PUT", path, { token, headers, json: { image_digest: B } })).status).toBe(
          412,
        );
      }
    });
  });

  test("needs the right to promote", async () => {
    await withPin(async ({ plane }) => {
      const token = await plane.token(["pins:read"]);
      const answer = await ask(plane, "PUT", PIN, { token, headers: NEW_PIN, json: { image_digest: A } });
      expect(answer.status).toBe(403);
      expect((await ask(plane, "GET", PIN, { token })).status).toBe(404);
    });
  });
});

test("the listing has a strong ETag that changes with it", async () => {
  await withPin(async ({ plane, token, put }) => {
    const etags = [(await ask(plane, "GET", LIST, { token })).etag];
    await put(A, NEW_PIN);
    etags.push(
      (await ask(plane, "GET", LIST, { token })).etag,
      (await ask(plane, "GET", LIST, { token })).etag,
    );
    for (const etag of etags) expect(etag).toMatch(/^"[0-9a-f]{32}"$/u);
    expect(etags[0]).not.toBe(etags[1]);
    expect(etags[1]).toBe(etags[2]);
  });
});

describe("the number of a build", () => {
  test("never goes down, not by a write without one and not by a rollback", async () => {
    await withPin(async ({ plane, token, put }) => {
      const first = await put(A, NEW_PIN, { seq: 7 });
      const older = await put(B, { "if-match": first.etag ?? "" }, { seq: 6 });
      expect(older).toMatchObject({
        status: 409,
        body: { code: "older_build", current: { image_digest: A, seq: 7 } },
      });
      expect(
        (await ask(plane, "POST", POST, { token, json: { template_name: "codex", image_digest: B } })).body,
      ).toMatchObject({ seq: 7 });
      const now = await ask(plane, "GET", PIN, { token });
      const force = { rollback: true, reason: "7 is broken" };
      const back = await put(C, { "if-match": now.etag ?? "" }, { seq: 5, ...force });
      expect(back).toMatchObject({ status: 200, body: { image_digest: C, seq: 7 } });
      const between = await put(B, { "if-match": back.etag ?? "" }, { seq: 6 });
      expect(between.status).toBe(409);
      expect(await put(B, { "if-match": back.etag ?? "" }, { seq: 8 })).toMatchObject({ body: { seq: 8 } });
      expect(
        (await plane.events()).map(({ action, decision, reason }) => [action, decision, reason]),
      ).toEqual([
        ["pin.promote", "allowed", null],
        ["pin.promote", "denied", "build 6 is older than build 7, which was promoted here"],
        ["pin.promote", "allowed", null],
        ["pin.rollback", "allowed", "7 is broken"],
        ["pin.promote", "denied", "build 6 is older than build 7, which was promoted here"],
        ["pin.promote", "allowed", null],
      ]);
    });
  });

  test.each([-1, 1.5, "7", {}, Number.MAX_SAFE_INTEGER + 1])("%p is none", async (seq) => {
    await withPin(async ({ put }) => {
      expect((await put(A, NEW_PIN, { seq })).body).toMatchObject({ code: "invalid_field" });
    });
  });
});

describe("the history", () => {
  test("has every change, the newest first, in pages", async () => {
    await withPin(async ({ plane, token, put }) => {
      let etag = (await put(A, NEW_PIN)).etag ?? "";
      for (const digest of [B, C]) etag = (await put(digest, { "if-match": etag })).etag ?? "";
      const all = await bodyOf<{ history: Shown[]; next_before: number | null }>(
        await plane.call("GET", `${PIN}/history`, { token }),
      );
      expect(all.history.map((one) => (one["after"] as Shown)["image_digest"])).toEqual([C, B, A]);
      expect(all.history.map((one) => (one["before"] as Shown | null)?.["image_digest"] ?? null)).toEqual([
        B,
        A,
        null,
      ]);
      expect(all.next_before).toBeNull();
      expect(`"${all.history[0]?.version}"`).toBe(etag);
      const page = await bodyOf<typeof all>(await plane.call("GET", `${PIN}/history?limit=2`, { token }));
      expect(page.history).toEqual(all.history.slice(0, 2));
      const rest = await bodyOf<typeof all>(
        await plane.call("GET", `${PIN}/history?limit=2&before=${page.next_before}`, { token }),
      );
      expect(rest.history).toEqual(all.history.slice(2));
    });
  });

  test.each(["limit=0", "limit=501", "limit=x", "before=0", "limit="])("refuses %s", async (query) => {
    await withPin(async ({ plane, token }) => {
      expect((await ask(plane, "GET", `${PIN}/history?${query}`, { token })).body).toMatchObject({
        code: "invalid_query",
      });
    });
  });
});

describe("a rollback", () => {
  const reason = "it crashes";

  test("goes to the digest before, to a version, or to a digest that was there", async () => {
    await withPin(async ({ plane, token, put }) => {
      const first = await put(A, NEW_PIN, { git_sha: "0123abc" });
      let etag = (await put(B, { "if-match": first.etag ?? "" })).etag ?? "";
      const back = async (json: object): Promise<Answer> => {
        const answer = await ask(plane, "POST", `${PIN}/rollback`, {
          token,
          headers: { "if-match": etag },
          json,
        });
        etag = answer.etag ?? etag;
        return answer;
      };
      expect(await back({ reason })).toMatchObject({
        status: 200,
        body: { image_digest: A, git_sha: "0123abc" },
      });
      expect(await back({ reason })).toMatchObject({ status: 200, body: { image_digest: B } });
      expect(await back({ reason, to_version: first.body.version })).toMatchObject({
        body: { image_digest: A },
      });
      expect(await back({ reason, to_digest: B })).toMatchObject({ body: { image_digest: B } });
      expect(await back({ reason, to_digest: C })).toMatchObject({
        status: 422,
        body: { code: "not_in_history" },
      });
      expect(await back({ reason, to_version: 9_999 })).toMatchObject({ status: 422 });
      expect(await back({ reason, to_version: 1, to_digest: B })).toMatchObject({ status: 400 });
      expect(await back({})).toMatchObject({ status: 400, body: { error: "reason is required" } });
      const actions = (await plane.events()).filter(({ decision }) => decision === "allowed");
      expect(actions.map(({ action }) => action)).toEqual([
        "pin.promote",
        "pin.promote",
        "pin.rollback",
        "pin.rollback",
        "pin.rollback",
        "pin.rollback",
      ]);
    });
  });

  test("is conditional too", async () => {
    await withPin(async ({ plane, token, put }) => {
      await put(A, NEW_PIN);
      const answer = await ask(plane, "POST", `${PIN}/rollback`, { token, json: { reason } });
      expect(answer.status).toBe(428);
    });
  });
});

describe("a stop", () => {
  const stops: [string, string, string][] = [
    ["held", "/v1/pins/codex/global/hold", "held"],
    ["vetoed", `/v1/vetoes/codex/${B}`, "vetoed"],
    ["frozen", "/v1/freeze", "frozen"],
  ];
  for (const [name, path, code] of stops) {
    test(`${name}: shown, obeyed by both ways to write, lifted`, async () => {
      await withPin(async ({ plane, token, put }) => {
        const admin = await plane.token(["admin"]);
        const first = await put(A, NEW_PIN);
        const set = await ask(plane, "PUT", path, { token: admin, json: { reason: "an audit" } });
        expect(set).toMatchObject({ status: 200, body: { kind: code, reason: "an audit" } });
        const shown = await ask(plane, "GET", PIN, { token });
        expect(shown.body.stops).toEqual([set.body]);
        const headers = { "if-match": first.etag ?? "" };
        const refused = await put(B, headers);
        expect(refused).toMatchObject({ status: 409, body: { code, stop: { reason: "an audit" } } });
        expect(refused.body["error"]).toContain("an audit");
        const json = { template_name: "codex", image_digest: B };
        expect((await ask(plane, "POST", POST, { token, json })).status).toBe(409);
        // A veto keeps one digest out and no other.
        expect((await put(C, headers)).status).toBe(code === "vetoed" ? 200 : 409);
        expect((await ask(plane, "DELETE", path, { token: admin })).status).toBe(204);
        expect((await ask(plane, "DELETE", path, { token: admin })).status).toBe(404);
        expect((await ask(plane, "POST", POST, { token, json })).status).toBe(200);
      });
    });

    test(`${name}: only an admin sets and lifts it`, async () => {
      await withPin(async ({ plane, token }) => {
        expect((await ask(plane, "PUT", path, { token, json: { reason: "x" } })).status).toBe(403);
        expect((await ask(plane, "DELETE", path, { token })).status).toBe(403);
      });
    });

    test(`${name}: needs a reason`, async () => {
      await withPin(async ({ plane }) => {
        const admin = await plane.token(["admin"]);
        expect((await ask(plane, "PUT", path, { token: admin, json: {} })).status).toBe(400);
      });
    });

    test(`${name}: an admin with a reason breaks the glass, and nobody else does`, async () => {
      await withPin(async ({ plane, token, put }) => {
        const admin = await plane.token(["admin"]);
        const first = await put(A, NEW_PIN);
        await ask(plane, "PUT", path, { token: admin, json: { reason: "an audit" } });
        const force = { break_glass: true, reason: "prod is down" };
        const headers = { "if-match": first.etag ?? "" };
        expect((await put(B, headers, force)).status).toBe(403);
        const json = { image_digest: B, ...force };
        const broken = await ask(plane, "PUT", PIN, { token: admin, headers, json });
        expect(broken.status).toBe(200);
        const glass = await plane.events("action = 'pin.break_glass'");
        expect(glass.map((one) => [one.decision, one.reason])).toEqual([["allowed", "prod is down"]]);
        expect((await ask(plane, "GET", PIN, { token })).body.stops).toHaveLength(1);
      });
    });
  }

  test("stands in its own environment alone", async () => {
    await withPlane(async (plane) => {
      const prod = await plane.token(["admin"], "prod");
      const staging = await plane.token(["admin"], "staging");
      await ask(plane, "PUT", "/v1/freeze", { token: staging, json: { reason: "x" } });
      const json = { image_digest: A };
      expect((await ask(plane, "PUT", PIN, { token: prod, headers: NEW_PIN, json })).status).toBe(200);
      expect((await ask(plane, "PUT", PIN, { token: staging, headers: NEW_PIN, json })).status).toBe(409);
    });
  });
});
