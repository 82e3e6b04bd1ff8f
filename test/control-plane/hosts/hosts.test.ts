import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { ask, type Answer } from "../ask.ts";
import { bodyOf, withPlane, type Plane } from "../plane.ts";

const VERSION = { version: "1.0.0", digest: `sha256:${"a".repeat(64)}` };
const DNS = {
  addon_id: "dns",
  state: "running",
  has: VERSION,
  offered: VERSION,
  last_known_good: "1.0.0",
  on_trial: false,
  blocked: [],
  last_error: null,
};
const STATUS = { platform: "linux/amd64", config_version: `v${"0".repeat(64)}`, addons: [DNS] };

describe("what a host reports", () => {
  test("is kept in place of what it said before, and is an event only when it says something else", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["hosts:read", "hosts:report"]);
      const put = (json: object): Promise<Answer> =>
        ask(plane, "PUT", "/v1/hosts/web-1/status", { token, json });
      expect((await put(STATUS)).status).toBe(200);
      plane.now = new Date(plane.now.getTime() + 60_000);
      expect((await put(STATUS)).status).toBe(200);
      const broken = [{ ...DNS, state: "unhealthy", last_error: "a\u001b[31m\nb" }];
      const second = await put({ ...STATUS, addons: broken });
      const read = await ask(plane, "GET", "/v1/hosts/web-1", { token });
      expect(read.body).toEqual(second.body);
      expect(JSON.stringify(read.body)).not.toContain("\\u001b");
      expect(read.body).toMatchObject({ host: "web-1", reported_at: "2026-11-21T12:01:00.123000Z" });
      expect(await plane.events("action = 'host.report'")).toHaveLength(2);
    });
  });

  test("is listed by name, in pages, for its environment and the token's hosts alone", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["hosts:read", "hosts:report"]);
      for (const host of ["c", "a", "b"]) {
        await plane.call("PUT", `/v1/hosts/${host}/status`, { token, json: STATUS });
      }
      const list = async (query: string, by = token): Promise<[string[], unknown]> => {
        const page = await bodyOf<{ hosts: { host: string }[]; next_after: string | null }>(
          await plane.call("GET", `/v1/hosts${query}`, { token: by }),
        );
        return [page.hosts.map(({ host }) => host), page.next_after];
      };
      expect(await list("")).toEqual([["a", "b", "c"], null]);
      expect(await list("?limit=2")).toEqual([["a", "b"], "b"]);
      expect(await list("?limit=2&after=b")).toEqual([["c"], null]);
      expect(await list("", await plane.token(["hosts:read"], "prod"))).toEqual([[], null]);
      const one = await plane.token(["hosts:read", "hosts:report"], "default", null, { hosts: ["b"] });
      expect(await list("", one)).toEqual([["b"], null]);
      expect((await plane.call("PUT", "/v1/hosts/a/status", { token: one, json: STATUS })).status).toBe(403);
    });
  });

  test("that said much come in shorter pages", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["hosts:read", "hosts:report"]);
      const addons = Array.from({ length: 1_000 }, (_, at) => ({
        ...DNS,
        addon_id: `dns-${at}`,
        last_error: "x".repeat(400),
      }));
      for (let at = 0; at < 9; at++) {
        const answer = await plane.call("PUT", `/v1/hosts/h${at}/status`, {
          token,
          json: { ...STATUS, addons },
        });
        expect(answer.status).toBe(200);
      }
      const seen: string[][] = [];
      for (let after: string | null = ""; after !== null;) {
        const { body } = await ask(plane, "GET", `/v1/hosts${after === "" ? "" : `?after=${after}`}`, {
          token,
        });
        seen.push((body["hosts"] as { host: string }[]).map(({ host }) => host));
        after = body["next_after"] as string | null;
      }
      expect(seen.flat()).toEqual(Array.from({ length: 9 }, (_, at) => `h${at}`));
      expect(seen.map(({ length }) => length)).toEqual([5, 4]);
      const page = await plane.call("GET", "/hosts", { headers: { cookie: `waybill=${token}` } });
      const next = /href="(\/hosts\?after=[^"]+)"/u.exec(await page.text())?.[1];
      expect(next).toBe("/hosts?after=h4&amp;env=default");
    });
  });

  const wrong: readonly object[] = [
    {},
    { ...STATUS, platform: "linux" },
    { ...STATUS, config_version: "" },
    { ...STATUS, addons: [{ ...DNS, addon_id: "../x" }] },
    { ...STATUS, addons: [{ ...DNS, state: "great" }] },
    { ...STATUS, addons: [{ ...DNS, has: { version: "1/..", digest: null } }] },
    { ...STATUS, addons: [{ ...DNS, offered: { version: "1", digest: "sha256:00" } }] },
    { ...STATUS, addons: [{ ...DNS, blocked: ["x"] }] },
  ];
  for (const json of wrong) {
    test(`${JSON.stringify(json).slice(0, 80)} is 400`, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["hosts:report"]);
        expect((await plane.call("PUT", "/v1/hosts/web-1/status", { token, json })).status).toBe(400);
      });
    });
  }
});

function envelope(subjects: readonly object[], more: object = {}): object {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects,
    predicateType: "https://x.invalid/y",
  };
  const payload = Buffer.from(JSON.stringify(statement)).toString("base64");
  return { payloadType: "application/vnd.in-toto+json", payload, signatures: [{ sig: "AAAA" }], ...more };
}

const A = sha256Of("a");
const B = sha256Of("b");
const about = (sha256: string): object => ({ name: "x", digest: { sha256 } });

describe("an attestation", () => {
  const post = (plane: Plane, token: string, json: object): Promise<Answer> =>
    ask(plane, "POST", "/v1/attestations", { token, json });

  test("is kept once, and found by each of its subjects, the newest first", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["attestations:read", "attestations:write"]);
      const [both, one] = [envelope([about(A), about(B), about(A)]), envelope([about(A)])];
      expect(await post(plane, token, both)).toMatchObject({
        status: 201,
        body: { subjects: [`sha256:${A}`, `sha256:${B}`], predicate_type: "https://x.invalid/y" },
      });
      expect((await post(plane, token, one)).status).toBe(201);
      expect((await post(plane, token, both)).status).toBe(200);
      const found = async (subject: string): Promise<object[]> => {
        const answer = await plane.call("GET", `/v1/attestations/${subject}`, { token });
        return (await bodyOf<{ attestations: { envelope: object }[] }>(answer)).attestations.map(
          (each) => each.envelope,
        );
      };
      expect(await found(`sha256:${A}`)).toEqual([one, both]);
      expect(await found(B)).toEqual([both]);
      expect(await found(sha256Of("c"))).toEqual([]);
      expect(await plane.events("action = 'attestation.keep'")).toHaveLength(2);
    });
  });

  test("beyond a hundred about one digest is refused whole", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["attestations:read", "attestations:write"]);
      const signed = (at: number): object =>
        envelope([about(A)], { signatures: [{ sig: "AAAA", keyid: String(at) }] });
      for (let at = 0; at < 100; at++) await post(plane, token, signed(at));
      const refused = await post(plane, token, envelope([about(B), about(A)]));
      expect([refused.status, refused.body["code"]]).toEqual([409, "too_many_attestations"]);
      const answer = await plane.call("GET", `/v1/attestations/${B}`, { token });
      expect(await answer.json()).toEqual({ attestations: [], next_before: null });
    });
  });

  const wrong: readonly (readonly [string, object])[] = [
    ["nothing", {}],
    ["another payload type", envelope([about(A)], { payloadType: "text/plain" })],
    ["no signature", envelope([about(A)], { signatures: [] })],
    ["a payload that is no base64", envelope([about(A)], { payload: "?" })],
    ["a payload that is no statement", envelope([about(A)], { payload: "e30=" })],
    ["no subject", envelope([])],
    ["a subject by another digest", envelope([{ digest: { sha512: "00" } }])],
    ["a subject by half a digest", envelope([about("00")])],
  ];
  for (const [name, json] of wrong) {
    test(`with ${name} is refused`, async () => {
      await withPlane(async (plane) => {
        const token = await plane.token(["attestations:write"]);
        expect((await post(plane, token, json)).status).toBe(400);
      });
    });
  }
});
