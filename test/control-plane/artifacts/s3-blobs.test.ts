import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { sha256Of } from "../../../src/base/hashing.ts";
import { CLEAN_ENVIRONMENT, jsonOf, runWaybill } from "../../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { emptyDatabase } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { HAS_CEPH, startCeph } from "../../stores/ceph.ts";
import { archive } from "../plane.ts";

// A gateway takes its time to start.
setDefaultTimeout(240_000);

const SECRET = "secret-key-1";
const KEYS = { AWS_ACCESS_KEY_ID: "AK", AWS_SECRET_ACCESS_KEY: SECRET };

describe("a bucket for the bytes", () => {
  const refused: [string, Record<string, string>, string, number, string][] = [
    [
      "that nobody serves",
      { ...KEYS, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      "s3://b-1",
      12,
      "object_store_unavailable",
    ],
    ["without a credential", {}, "s3://b-1", 4, "credential_missing"],
    ["over plain http", { ...KEYS, AWS_ENDPOINT_URL: "http://s3.example.com" }, "s3://b-1", 2, "url_invalid"],
    ["that is no bucket", KEYS, "https://b-1", 2, "url_invalid"],
  ];
  test.each(refused)("%s is no server, and nothing of it is said", async (_what, env, place, code, error) => {
    using folder = temporaryFolder();
    const words = ["serve", "--json", "--data", folder.at("data"), "--listen", "127.0.0.1:0", "--artifacts"];
    const run = await runWaybill([...words, place], { env: { ...CLEAN_ENVIRONMENT, ...env } });
    expect(jsonOf(run)).toMatchObject({ error: { code: error } });
    expect(run.code).toBe(code);
    expect(run.stdout + run.stderr).not.toContain(SECRET);
  });

  test.skipIf(!HAS_CEPH || process.env["WAYBILL_FULL"] === undefined)(
    "is shared by two servers of one database: stored by one, read in whole and in parts from the other",
    async () => {
      using folder = temporaryFolder();
      await using ceph = await startCeph(folder);
      await using empty = await emptyDatabase();
      const env = { ...KEYS, AWS_ENDPOINT_URL: ceph.url };
      const settings = { database: empty.url, args: ["--artifacts", "s3://addons/cp"], env };
      const [one, other] = [await startControlPlane(settings), await startControlPlane(settings)];
      try {
        const token = await one.token(["addons:read", "addons:write", "builds:write"]);
        const bytes = new Uint8Array(9_000_000).map((_, at) => at * 31 + (at >> 8));
        const sha256 = sha256Of(bytes);
        const ask = (server: ControlPlaneProcess, init: RequestInit = {}): Promise<Response> =>
          fetch(`${server.address}/v1/artifacts/${sha256}`, {
            ...init,
            headers: { authorization: `Bearer ${token}`, ...init.headers },
          });
        expect((await ask(one, { method: "PUT", body: bytes })).status).toBe(201);
        expect((await ask(one, { method: "PUT", body: bytes })).status).toBe(200);
        const wrong = await ask(one, { method: "PUT", body: bytes.subarray(1) });
        expect(wrong.status).toBe(422);
        const whole = await ask(other);
        expect(whole.status).toBe(200);
        expect(sha256Of(await whole.bytes())).toBe(sha256);
        const part = await ask(other, { headers: { range: "bytes=4000000-4000009" } });
        expect([part.status, part.headers.get("content-range")]).toEqual([
          206,
          "bytes 4000000-4000009/9000000",
        ]);
        expect(await part.bytes()).toEqual(bytes.slice(4_000_000, 4_000_010));
        const foreign = await ask(other, { headers: { range: "bytes=0-1", "if-range": '"x"' } });
        expect([foreign.status, (await foreign.bytes()).length]).toEqual([200, 9_000_000]);
        const head = await ask(other, { method: "HEAD" });
        expect([head.status, head.headers.get("content-length")]).toEqual([200, "9000000"]);
        const form = new FormData();
        form.set("context_archive", archive("context"), "context.tar.gz");
        form.set("image_name", "codex");
        form.set("agent_name", "codex");
        const build = await fetch(`${one.address}/v5/builds`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: form,
        });
        expect(build.status).toBe(200);
        // Nothing stays on the disks of the servers.
        for (const { data } of [one, other]) {
          for (const name of ["artifacts", "contexts", "incoming"]) {
            expect(readdirSync(`${data}/${name}`)).toEqual([]);
          }
        }
        await ceph[Symbol.asyncDispose]();
        const gone = await ask(other);
        expect([gone.status, gone.headers.get("retry-after")]).toEqual([503, "5"]);
        expect(other.stderr()).toContain(" failed: no connection to 127.0.0.1:");
        expect(one.stderr() + other.stderr()).not.toContain(SECRET);
      } finally {
        await Promise.all([one.stop("SIGKILL"), other.stop("SIGKILL")]);
      }
    },
  );
});
