import { describe, expect, test } from "bun:test";
import { matchesCommit } from "../../../src/control-plane/page/evidence.ts";
import type { Scope } from "../../../src/control-plane/tokens/scopes.ts";
import { archive, bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";
import { envelope } from "./signed.ts";

const A = digestOf("a");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

async function textOf(plane: Plane, path: string, token: string): Promise<string> {
  const answer = await plane.call("GET", path, { headers: { cookie: `waybill=${token}` } });
  expect(answer.status).toBe(200);
  // Marks and their words stand on lines of their own.
  return (await answer.text()).replace(/<[^>]*>/gu, " ").replace(/\s+/gu, " ");
}

function capture(matches: boolean | null, commit = COMMIT): object {
  return { fields: { source_commit: { value: commit, source: "git" } }, matches_commit: matches };
}

async function build(plane: Plane): Promise<string> {
  const form = new FormData();
  form.set("context_archive", archive("x"), "context.tar.gz");
  const fields = { image_name: "codex", agent_name: "codex", image_digest: A, source_commit: COMMIT };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const token = await plane.token(["builds:write"], "prod", null, { name: "ci of codex" });
  const answer = await plane.call("POST", "/v5/builds", { token, body: form });
  return (await bodyOf<{ id: string }>(answer)).id;
}

async function promote(plane: Plane): Promise<number> {
  const token = await plane.token(["pins:write", "pins:read"], "prod", null, { name: "release" });
  const json = { template_name: "codex", image_digest: A };
  await plane.call("POST", "/cp/admin/runtime-image/promote", { token, json });
  return (await bodyOf<{ version: number }>(await plane.call("GET", "/v1/pins/codex/global", { token })))
    .version;
}

describe("whether a build is its commit", () => {
  const of = (predicate: object): { predicate: never; keyids: [] } => ({
    predicate: predicate as never,
    keyids: [],
  });
  test.each<[string, object[], boolean | null]>([
    ["nobody says it", [], null],
    ["a capture says so", [capture(true)], true],
    ["a capture says no", [capture(false)], false],
    ["a capture could not tell", [capture(null)], null],
    ["it is another commit's", [capture(true, "f".repeat(40))], null],
    ["two contradict each other", [capture(true), capture(false)], false],
    ["the predicate is nonsense", [{ matches_commit: "true", fields: [] }], null],
  ])("when %s", (_name, predicates, wanted) => {
    expect(matchesCommit(predicates.map(of), COMMIT)).toBe(wanted);
    expect(matchesCommit(predicates.map(of), null)).toBe(null);
  });

  test("stands at the build and at its pin, from the signed captures that the plane keeps", async () => {
    await withPlane(async (plane) => {
      const [id, reader] = [await build(plane), await plane.token(["admin"], "prod")];
      await promote(plane);
      const pages = [`/builds/${id}`, "/pins/prod/codex/global"];
      for (const page of pages)
        expect(await textOf(plane, page, reader)).toContain("match with the commit unknown");
      const kept = await plane.call("POST", "/v1/attestations", {
        token: reader,
        json: envelope("capture/v1", capture(true), "k", A.slice(7)),
      });
      expect(kept.status).toBe(201);
      for (const page of pages)
        expect(await textOf(plane, page, reader)).toContain("matches its commit, a signed capture says");
      // Who may not read statements is not told what they say.
      const scopes: Scope[] = ["pins:read", "builds:read"];
      const other = await plane.token(scopes, "prod");
      for (const page of pages)
        expect(await textOf(plane, page, other)).toContain("match with the commit unknown");
    });
  });
});

test("a pin shows who signed for the version that it has, and tokens by their names", async () => {
  await withPlane(async (plane) => {
    const version = await promote(plane);
    const reader = await plane.token(["pins:read", "pins:write"], "prod", null, { name: "looker" });
    const none = await textOf(plane, "/pins/prod/codex/global", reader);
    expect(none).toContain("no receipt");
    expect(none).toMatch(/by release \(api-token-[0-9a-f]{8}\)/u);
    expect(none).toMatch(/looker \(api-token-[0-9a-f]{8}\), prod/u);
    const said = { template: "codex", region: "global", digest: A, version };
    const receipt = {
      ...said,
      previous: digestOf("b"),
      outcome: "landed",
      actor: "jo",
      run_url: "https://ci.example/7",
    };
    await plane.call("POST", "/v1/pins/codex/global/receipts", {
      token: reader,
      headers: { "if-match": `"${version}"` },
      json: envelope("promotion/v1", receipt, "the-key"),
    });
    const text = await textOf(plane, "/pins/prod/codex/global", reader);
    for (const wanted of [
      "signed by the-key",
      digestOf("b").slice(7, 19),
      "landed",
      "for jo",
      "https://ci.example/7",
    ])
      expect(text).toContain(wanted);
    expect(text).toMatch(/receipt \d+, .* by looker \(api-token-/u);
    // Another version has other receipts.
    await promote(plane);
    expect(await textOf(plane, "/pins/prod/codex/global", reader)).toContain("no receipt");
  });
});

describe("the hosts", () => {
  const dns = (more: object): object => ({
    ...{ addon_id: "dns", state: "running", has: { version: "1.0.0", digest: A } },
    ...{ offered: { version: "1.0.0", digest: A }, last_known_good: "1.0.0", on_trial: false, blocked: [] },
    ...{ last_error: null, ...more },
  });
  const report = async (plane: Plane, host: string, addons: object[], env = "prod"): Promise<void> => {
    const token = await plane.token(["hosts:report"], env, null, { name: `agent of ${host}` });
    const json = { platform: "linux/arm64", addons };
    expect((await plane.call("PUT", `/v1/hosts/${host}/status`, { token, json })).status).toBe(200);
  };

  test("each says what it has and was offered, and how it is", async () => {
    await withPlane(async (plane) => {
      await report(plane, "web-1", [dns({})]);
      const [two, bad] = [{ version: "2.0.0", digest: digestOf("two") }, { blocked: [digestOf("two")] }];
      await report(plane, "web-2", [dns({ offered: two, ...bad, state: "degraded", last_error: "slow" })]);
      await report(plane, "web-3", [dns({ offered: two, has: two, on_trial: true, state: "starting" })]);
      await report(plane, "web-4", [
        dns({ offered: two }),
        dns({ addon_id: "own", offered: null, state: "stopped" }),
      ]);
      await report(plane, "web-5", []);
      plane.now = new Date(plane.now.getTime() + 300_000);
      const reader = await plane.token(["hosts:read"], "prod");
      const text = await textOf(plane, "/hosts", reader);
      const part = (from: string, to: string): string => text.slice(text.indexOf(from), text.indexOf(to));
      expect(part("web-1", "web-2")).toContain("dns 1.0.0");
      expect(part("web-1", "web-2")).toMatch(/running(?!.*(?:not in place|rolled back|silent))/u);
      expect(part("web-1", "web-2")).toMatch(/linux\/arm64 .* by agent of web-1 \(api-token-/u);
      expect(part("web-2", "web-3")).toMatch(/1\.0\.0.*2\.0\.0.*rolled back here.*degraded.*slow/u);
      expect(part("web-3", "web-4")).toMatch(/starting.*on trial/u);
      expect(part("web-4", "web-5")).toMatch(/not in place.*not assigned.*stopped/u);
      expect(part("web-5", "Assigned")).toContain("nothing is assigned");
      plane.now = new Date(plane.now.getTime() + 301_000);
      expect(await textOf(plane, "/hosts", reader)).toContain("silent since");
    });
  });

  test("come in pages, and only to whom they are shown", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["hosts:report"], "prod");
      for (let number = 0; number < 201; number++) {
        const host = `h${String(number).padStart(3, "0")}`;
        await plane.call("PUT", `/v1/hosts/${host}/status`, {
          token,
          json: { platform: "linux/amd64", addons: [] },
        });
      }
      await report(plane, "h199", [], "staging");
      const auditor = await plane.token(["hosts:read", "audit:read"], "prod");
      const first = await (
        await plane.call("GET", "/hosts", { headers: { cookie: `waybill=${auditor}` } })
      ).text();
      const more = /href="(\/hosts\?after=[^"]+)"/u.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
      expect(more).toBe("/hosts?after=h199&env=prod");
      const rest = await textOf(plane, more, auditor);
      expect([rest.includes("h199 staging"), rest.includes("h200"), rest.includes("h199 prod")]).toEqual([
        true,
        true,
        false,
      ]);
      const one = await plane.token(["hosts:read"], "prod", null, { hosts: ["h007"] });
      const own = await textOf(plane, "/hosts", one);
      expect([own.includes("h007"), own.includes("h008")]).toEqual([true, false]);
      const blind = await plane.token(["addons:read"], "prod");
      expect(await textOf(plane, "/hosts", blind)).not.toContain("h007");
    });
  });

  test("are found by a part of their name, whatever is assigned to them, by whom they are shown", async () => {
    await withPlane(async (plane) => {
      for (const host of ["web-1", "web_1", "db-1"]) await report(plane, host, []);
      const found = async (text: string, hosts: readonly string[] | null = null): Promise<string[]> => {
        const token = await plane.token(["hosts:read"], "prod", null, { hosts });
        const answer = await plane.call("GET", `/search?q=${text}`, {
          headers: { cookie: `waybill=${token}` },
        });
        return [...(await answer.text()).matchAll(/\/hosts\?after=[^"]*">([^<]*)</gu)].map(
          ([, host = ""]) => host,
        );
      };
      expect(await found("web")).toEqual(["web-1", "web_1"]);
      expect(await found("b_1")).toEqual(["web_1"]);
      expect(await found("%25")).toEqual([]);
      expect(await found("1", ["db-1"])).toEqual(["db-1"]);
      const blind = await plane.token(["pins:read"], "prod");
      expect(await textOf(plane, "/search?q=web", blind)).toContain("0 found");
    });
  });

  test("are assigned add-ons one by one, by label, or all of them", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["addons:write", "addons:read"], "prod");
      const package_ = { addon_id: "dns", version: "1.0.0", binary: "dns", delivery: "os_package" };
      await plane.call("POST", "/v1/addons/packages", { token, json: package_ });
      for (const audience of [{}, { selector: { zone: "a", role: "edge" } }, { host: "web-1" }]) {
        const json = { version: "1.0.0", ...audience };
        expect((await plane.call("PUT", "/v1/addons/assignments/dns", { token, json })).status).toBe(200);
      }
      const text = await textOf(plane, "/hosts", token);
      for (const audience of ["every host", "hosts with role=edge, zone=a", "web-1"]) {
        expect(text).toContain(`${audience} prod dns 1.0.0`);
      }
      expect(await textOf(plane, "/search?q=role", token)).toContain("hosts with role=edge, zone=a");
    });
  });
});
