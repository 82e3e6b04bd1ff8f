import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { bodyOf, withPlane, type Plane } from "../plane.ts";

const SHA = sha256Of("one");
const OTHER = sha256Of("two");
const KEY = `native-addons/probe/1.0.0/linux/amd64/${SHA}.bin`;
const SIGNATURE = Buffer.alloc(64, 7).toString("base64");
const PACKAGE = {
  addon_id: "probe",
  version: "1.0.0",
  binary: "probe-bin",
  args: ["--from", "package"],
  config_json: { level: 1 },
  capabilities: ["dns"],
  artifacts: { "linux/amd64": { object_key: KEY, sha256: SHA, signature: SIGNATURE } },
};

type Answer = [number, unknown];

async function call(
  plane: Plane,
  method: string,
  path: string,
  json?: unknown,
  env = "default",
): Promise<Answer> {
  const token = await plane.token(["addons:read", "addons:write"], env);
  const answer = await plane.call(method, path, { token, ...(json === undefined ? {} : { json }) });
  return [answer.status, answer.body === null ? null : await bodyOf(answer)];
}

const publish = (plane: Plane, json: unknown, env?: string): Promise<Answer> =>
  call(plane, "POST", "/v1/addons/packages", json, env);
const assign = (plane: Plane, id: string, json: unknown, env?: string): Promise<Answer> =>
  call(plane, "PUT", `/v1/addons/assignments/${id}`, json, env);
const assigned = (plane: Plane, query: string, env?: string): Promise<Answer> =>
  call(plane, "GET", `/v1/addons/assignments?${query}`, undefined, env);

async function store(plane: Plane): Promise<void> {
  const token = await plane.token(["addons:write"]);
  for (const [sha256, body] of [
    [SHA, "one"],
    [OTHER, "two"],
  ]) {
    await plane.call("PUT", `/v1/artifacts/${sha256}`, { token, body: body ?? "" });
  }
}

describe("publishing a package", () => {
  test("answers it whole, and the list has it", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      const wanted = { ...PACKAGE, delivery: "pushed_artifact", supervision: "agent_sidecar" };
      expect(await publish(plane, PACKAGE)).toEqual([200, wanted]);
      const list = (env?: string): Promise<Answer> =>
        call(plane, "GET", "/v1/addons/packages", undefined, env);
      expect(await list()).toEqual([200, { packages: [wanted], next_after: null }]);
      expect(await list("prod")).toEqual([200, { packages: [], next_after: null }]);
    });
  });

  test("again merges the platforms and replaces the rest", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE);
      const arm = { object_key: `x/${OTHER}`, sha256: OTHER };
      const [status, found] = await publish(plane, {
        addon_id: "probe",
        version: "1.0.0",
        binary: "probe2",
        supervision: "systemd-service",
        artifacts: { "linux/arm64": arm },
      });
      expect(status).toBe(200);
      expect(found).toEqual({
        addon_id: "probe",
        version: "1.0.0",
        binary: "probe2",
        delivery: "pushed_artifact",
        supervision: "systemd_service",
        args: [],
        config_json: {},
        capabilities: [],
        artifacts: { "linux/amd64": PACKAGE.artifacts["linux/amd64"], "linux/arm64": arm },
      });
    });
  });

  test("other bytes of the same version and platform are 409, change nothing and are recorded", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE);
      for (const entry of [{ object_key: KEY, sha256: OTHER }, { object_key: KEY }]) {
        const json = { ...PACKAGE, binary: "evil", artifacts: { "linux/amd64": entry } };
        expect(await publish(plane, json)).toEqual([
          409,
          { code: "version_conflict", error: `probe 1.0.0 for linux/amd64 is published with sha256 ${SHA}` },
        ]);
      }
      const [, list] = await call(plane, "GET", "/v1/addons/packages");
      expect(list).toMatchObject({ packages: [PACKAGE] });
      const denied = await plane.events("decision = 'denied'");
      expect(denied.map((one) => one.action)).toEqual(["package.publish", "package.publish"]);
      expect(
        (
          await publish(plane, {
            ...PACKAGE,
            artifacts: { "linux/amd64": { object_key: "moved/it", sha256: SHA } },
          })
        )[0],
      ).toBe(200);
    });
  });

  test("bytes that are not stored are 422; a context archive is none", async () => {
    await withPlane(async (plane) => {
      expect(await publish(plane, PACKAGE)).toEqual([
        422,
        {
          code: "artifact_not_stored",
          error: `the bytes of probe 1.0.0 for linux/amd64 (${SHA}) are not stored`,
        },
      ]);
      expect(await call(plane, "GET", "/v1/addons/packages")).toMatchObject([200, { packages: [] }]);
    });
  });

  const artifact = (entry: unknown): object => ({ ...PACKAGE, artifacts: { "linux/amd64": entry } });
  const refused: readonly (readonly [string, unknown, string])[] = [
    ["no id", { ...PACKAGE, addon_id: undefined }, "addon_id is required"],
    [
      "an id that leaves its folder",
      { ...PACKAGE, addon_id: "../x" },
      "addon_id must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$ and have at most 128 chars",
    ],
    [
      "a version of dots",
      { ...PACKAGE, version: ".." },
      "version must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$ and have at most 128 chars",
    ],
    [
      "a binary with a folder",
      { ...PACKAGE, binary: "a/b" },
      "binary must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$ and have at most 128 chars",
    ],
    [
      "an unknown delivery",
      { ...PACKAGE, delivery: "mail" },
      "delivery must be one of compiled_in, pushed_artifact, os_package",
    ],
    [
      "an unknown supervision",
      { ...PACKAGE, supervision: 1 },
      "supervision must be one of config_toggle, agent_sidecar, systemd_service, systemd_timer, ephemeral_helper",
    ],
    ["args that are text", { ...PACKAGE, args: "-x" }, "args must be a list of at most 256 entries"],
    ["an arg with NUL", { ...PACKAGE, args: ["a\0b"] }, "args must hold strings of at most 4096 chars"],
    ["config that is text", { ...PACKAGE, config_json: "{}" }, "config_json must be an object"],
    [
      "capabilities that are no names",
      { ...PACKAGE, capabilities: ["A B"] },
      "capabilities must hold names in lower case",
    ],
    [
      "artifacts that are a list",
      { ...PACKAGE, artifacts: [] },
      "artifacts must be an object of at most 64 platforms",
    ],
    ["a platform of one word", { ...PACKAGE, artifacts: { linux: {} } }, 'artifacts: "linux" is not os/arch'],
    [
      "a key that leaves the store",
      artifact({ object_key: "a/../b", sha256: SHA }),
      "artifacts[linux/amd64].object_key must be a relative path of plain segments",
    ],
    [
      "an absolute key",
      artifact({ object_key: "/etc/passwd", sha256: SHA }),
      "artifacts[linux/amd64].object_key must be a relative path of plain segments",
    ],
    [
      "a short digest",
      artifact({ object_key: "a", sha256: "abc" }),
      "artifacts[linux/amd64].sha256 must be 64 lower-case hex",
    ],
    [
      "a signature of another length",
      artifact({ object_key: "a", sha256: SHA, signature: "AAAA" }),
      "artifacts[linux/amd64].signature must be 64 bytes in hex or base64",
    ],
    ...["{", "{}\0", "[]", `{"a":"${"x".repeat(65_536)}"}`].map((statement): [string, unknown, string] => [
      `the statement ${JSON.stringify(statement).slice(0, 10)}`,
      artifact({ object_key: "a", sha256: SHA, statement }),
      "artifacts[linux/amd64].statement must be the JSON of an envelope, at most 65536 chars",
    ]),
  ];
  for (const [name, json, error] of refused) {
    test(`${name} is 400`, async () => {
      await withPlane(async (plane) => {
        await store(plane);
        expect(await publish(plane, json)).toEqual([400, { error, code: "invalid_field" }]);
      });
    });
  }
});

describe("assigning", () => {
  test("a version that is not published is 404", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE, "prod");
      expect(await assign(plane, "probe", { version: "1.0.0" })).toEqual([
        404,
        { code: "not_found", error: "probe 1.0.0 is not a published package" },
      ]);
    });
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ["no version", {}, "version is required"],
    ["a text for enabled", { version: "1.0.0", enabled: "no" }, "enabled must be true or false"],
    ["an empty host", { version: "1.0.0", host: "" }, "host must be a host name"],
    ["a host with a slash", { version: "1.0.0", host: "a/b" }, "host must be a host name"],
  ];
  for (const [name, json, error] of refused) {
    test(`${name} is 400`, async () => {
      await withPlane(async (plane) => {
        await store(plane);
        await publish(plane, PACKAGE);
        expect(await assign(plane, "probe", json)).toEqual([400, { error, code: "invalid_field" }]);
        expect(await assigned(plane, "platform=linux/amd64")).toMatchObject([200, { addons: [] }]);
      });
    });
  }

  test("delivers the fields that agents know", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE);
      expect(await assign(plane, "probe", { version: "1.0.0" })).toEqual([
        200,
        { addon_id: "probe", version: "1.0.0", enabled: true },
      ]);
      expect(await assigned(plane, "platform=linux/amd64")).toEqual([
        200,
        {
          addons: [
            {
              addon_id: "probe",
              version: "1.0.0",
              enabled: true,
              binary_path: "/usr/local/lib/waybill/bin/probe-bin",
              args: ["--from", "package"],
              config_json: { level: 1 },
              capabilities: ["dns"],
              delivery: "pushed_artifact",
              supervision: "agent_sidecar",
              artifact_object_key: KEY,
              artifact_sha256: SHA,
              artifact_signature: SIGNATURE,
              target_os: "linux",
              target_arch: "amd64",
            },
          ],
          config_version: expect.stringMatching(/^v[0-9a-f]{64}$/u),
        },
      ]);
    });
  });

  test("a host's own assignment wins whole, and goes away alone", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE);
      await assign(plane, "probe", { version: "1.0.0", args: ["general"] });
      const own = { version: "1.0.0", enabled: false, config_json: { level: 2 }, host: "web-1" };
      expect(await assign(plane, "probe", own)).toEqual([200, { addon_id: "probe", ...own }]);
      const seen = async (host: string): Promise<unknown> => {
        const [, list] = await assigned(plane, `platform=linux/amd64${host}`);
        const [one] = (list as { addons: Record<string, unknown>[] }).addons;
        return one === undefined ? null : [one["enabled"], one["args"], one["config_json"]];
      };
      expect(await seen("&host=web-1")).toEqual([false, ["--from", "package"], { level: 2 }]);
      expect(await seen("&host=web-2")).toEqual([true, ["general"], { level: 1 }]);
      expect(await seen("")).toEqual([true, ["general"], { level: 1 }]);
      expect(await call(plane, "DELETE", "/v1/addons/assignments/probe?host=web-1")).toEqual([204, null]);
      expect(await seen("&host=web-1")).toEqual([true, ["general"], { level: 1 }]);
      expect(await call(plane, "DELETE", "/v1/addons/assignments/probe")).toEqual([204, null]);
      expect(await call(plane, "DELETE", "/v1/addons/assignments/probe")).toEqual([204, null]);
      expect(await seen("")).toBeNull();
      expect(
        (await plane.events("action LIKE 'assignment.%'")).map((one) => `${one.action} ${one.subject}`),
      ).toEqual([
        "assignment.put probe",
        "assignment.put probe on web-1",
        "assignment.delete probe on web-1",
        "assignment.delete probe",
      ]);
    });
  });

  test("an unchanged list is 304, a changed one is not", async () => {
    await withPlane(async (plane) => {
      await store(plane);
      await publish(plane, PACKAGE);
      await assign(plane, "probe", { version: "1.0.0" });
      const token = await plane.token(["addons:read"]);
      const path = "/v1/addons/assignments?platform=linux/amd64&host=web-1";
      const first = await plane.call("GET", path, { token });
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toBe(`"${(await bodyOf<{ config_version: string }>(first)).config_version}"`);
      const again = await plane.call("GET", path, { token, headers: { "if-none-match": etag } });
      expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
      await assign(plane, "probe", { version: "1.0.0", enabled: false });
      const changed = await plane.call("GET", path, { token, headers: { "if-none-match": etag } });
      expect(changed.status).toBe(200);
      expect(changed.headers.get("etag")).not.toBe(etag);
    });
  });

  for (const query of [
    "",
    "platform=",
    "platform=linux",
    "platform=linux/amd64&host=",
    "platform=linux/amd64&host=a%2Fb",
  ]) {
    test(`a list for ${JSON.stringify(query)} is 400`, async () => {
      await withPlane(async (plane) => {
        expect(await assigned(plane, query)).toMatchObject([400, { code: "invalid_query" }]);
      });
    });
  }
});
