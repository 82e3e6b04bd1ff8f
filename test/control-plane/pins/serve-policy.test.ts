import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { formatEnvelope, signEnvelope } from "../../../src/trust/dsse.ts";
import { spkiPem } from "../../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../../src/trust/policy.ts";
import { CLEAN_ENVIRONMENT, jsonOf, runWaybill, type Finished } from "../../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { ALICE, APP, BOB, bundleOf, policyBytes, ruleWith } from "../../trust/attestations.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const DAY = 86_400_000;
const KEY = Buffer.from(ALICE.publicKey.bytes).toString("base64");

function writePolicy(path: string, version: number, repositories: readonly string[]): void {
  const policy = {
    ...ruleWith({ signers: [{ keys: [KEY] }], repositories, max_age: undefined }),
    version,
    issued_at: new Date(Date.now() - DAY).toISOString(),
    expires_at: new Date(Date.now() + DAY).toISOString(),
  };
  writeFileSync(path, formatEnvelope(signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(policy))));
}

async function runPromote(address: string, token: string, args: readonly string[] = []): Promise<Finished> {
  return runWaybill(
    [
      ...["promote", "--json", "--template", "codex", "--digest", `sha256:${APP}`, "--allow-insecure-http"],
      ...["--target", `prod=${address}`, "--token-env", "prod=CP_TOKEN", ...args],
    ],
    { env: { ...CLEAN_ENVIRONMENT, CP_TOKEN: token } },
  );
}

function resultOf(run: Finished): [number, string] {
  const { legs } = jsonOf(run) as { legs: { error: { code: string } | null }[] };
  return [run.code, legs[0]?.error?.code ?? ""];
}

async function promoted(server: ControlPlaneProcess, token: string): Promise<[number, string]> {
  return resultOf(await runPromote(server.address, token));
}

test("the compiled server enforces the policy of its flags, takes the next one on SIGHUP and no older one", async () => {
  using folder = temporaryFolder();
  const [file, key, data] = [folder.at("policy.json"), folder.at("bob.pub"), folder.at("data")];
  writeFileSync(key, spkiPem(BOB.publicKey));
  writePolicy(file, 1, ["github.com/acme/*"]);
  // By the file of settings, with paths beside it.
  writeFileSync(folder.at("serve.json"), JSON.stringify({ policy: "policy.json", policy_keys: ["bob.pub"] }));
  const server = await startControlPlane({ data, args: ["--config", folder.at("serve.json")] });
  const token = await server.token(["pins:write", "pins:read", "attestations:write"], "prod");
  const hup = async (told: string): Promise<void> => {
    process.kill(server.pid, "SIGHUP");
    await server.told(told);
  };
  try {
    expect(await promoted(server, token)).toEqual([5, "policy_denied"]);
    const kept = await fetch(`${server.address}/v1/attestations`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(bundleOf()),
    });
    expect(kept.status).toBe(201);
    expect(await promoted(server, token)).toEqual([0, ""]);
    const [old, next] = [await Bun.file(file).bytes(), folder.at("next.json")];
    writePolicy(next, 2, ["github.com/other/*"]);
    writeFileSync(file, await Bun.file(next).bytes());
    await hup("reloaded");
    const shown = await fetch(`${server.address}/v1/policy`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await shown.json()).toMatchObject({ policy: { version: 2 } });
    writeFileSync(file, old);
    await hup("not reloaded: ");
    const still = await fetch(`${server.address}/v1/policy`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await still.json()).toMatchObject({ policy: { version: 2 } });
  } finally {
    await server.stop();
  }
  // Nor after a restart: the folder remembers.
  const again = await runWaybill(
    ["serve", "--json", "--data", data, "--listen", "127.0.0.1:0", "--policy", file, "--policy-key", key],
    { env: CLEAN_ENVIRONMENT },
  );
  expect(again.code).toBe(6);
  expect(jsonOf(again)).toMatchObject({ error: { code: "policy_rollback" } });
});

test("a policy that falls out of the configuration stays enforced, and no server starts without it by mistake", async () => {
  using folder = temporaryFolder();
  const [config, data] = [folder.at("serve.json"), folder.at("data")];
  writeFileSync(folder.at("bob.pub"), spkiPem(BOB.publicKey));
  writePolicy(folder.at("policy.json"), 1, ["github.com/acme/*"]);
  const configure = (more: object): void =>
    writeFileSync(config, JSON.stringify({ listen: "127.0.0.1:0", data: "data", ...more }));
  configure({ policy: "policy.json", policy_keys: ["bob.pub"] });
  const server = await startControlPlane({ data, args: ["--config", config] });
  const token = await server.token(["pins:write", "pins:read"], "prod");
  await server.told("enforcing policy");
  const refusedFor = async (why: string): Promise<void> => {
    process.kill(server.pid, "SIGHUP");
    expect(await server.told("reloaded")).toBe(`warning: not reloaded: ${why}\n`);
    expect(await promoted(server, token)).toEqual([5, "policy_denied"]);
  };
  const seen = `${data}/policy-seen.json`;
  try {
    configure({});
    await refusedFor(`"${data}" has enforced a policy, and none is named now`);
    rmSync(seen);
    await refusedFor(`policy "production", version 1, is enforced until a new start, and none is named now`);
    // What is named again is enforced and remembered as before.
    configure({ policy: "policy.json", policy_keys: ["bob.pub"] });
    process.kill(server.pid, "SIGHUP");
    expect(await server.told("reloaded")).toBe("reloaded\n");
    expect(existsSync(seen)).toBe(true);
  } finally {
    await server.stop();
  }
  configure({});
  const run = await runWaybill(["serve", "--json", "--config", config], { env: CLEAN_ENVIRONMENT });
  expect([run.code, jsonOf(run)]).toMatchObject([6, { error: { code: "policy_rollback" } }]);
  expect(run.stderr).toContain(`remove "${seen}"`);
  rmSync(seen);
  const unarmed = await startControlPlane({ data, args: ["--config", config] });
  expect(await promoted(unarmed, token)).toEqual([0, ""]);
  expect(await unarmed.stop()).toBe(0);
});

describe("promote --attestation", () => {
  const evidenceIn = (folder: { at: (name: string) => string }): string[] => {
    const file = folder.at("codex.sigstore.json");
    writeFileSync(file, JSON.stringify(bundleOf()));
    return ["--attestation", file, "--key", KEY];
  };

  test("hands its evidence in to a control plane whose policy wants it, and a dry run does not", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("bob.pub"), spkiPem(BOB.publicKey));
    writePolicy(folder.at("policy.json"), 1, ["github.com/acme/*"]);
    const args = ["--policy", folder.at("policy.json"), "--policy-key", folder.at("bob.pub")];
    const server = await startControlPlane({ data: folder.at("data"), args });
    const evidence = evidenceIn(folder);
    try {
      const poor = await server.token(["pins:write", "pins:read"], "prod");
      const token = await server.token(["pins:write", "pins:read", "attestations:write"], "prod");
      await runPromote(server.address, token, [...evidence, "--dry-run"]);
      expect(await promoted(server, token)).toEqual([5, "policy_denied"]);
      const told = await runPromote(server.address, poor, evidence);
      expect(resultOf(told)).toEqual([5, "policy_denied"]);
      expect(told.stderr).toContain("prod: the evidence was not handed in for its policy");
      const run = await runPromote(server.address, token, evidence);
      expect(resultOf(run)).toEqual([0, ""]);
      expect(run.stderr).toContain("prod: handed 1 signed statements in for its policy");
    } finally {
      await server.stop();
    }
  });

  test.each([
    ["no such route", 404, ""],
    ["a page in its place", 200, "<html>"],
    ["no policy", 200, '{"policy": null}'],
  ])("sends nothing to a control plane with %s", async (_what, status, policy) => {
    using folder = temporaryFolder();
    const asked: string[] = [];
    const row = { template_name: "codex", region: "global", image_digest: `sha256:${APP}` };
    let pins: object[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ method, url }) => {
        const { pathname } = new URL(url);
        asked.push(`${method} ${pathname}`);
        if (pathname === "/v1/policy") return new Response(policy, { status });
        if (method === "POST") pins = [row];
        return Response.json(method === "POST" ? row : { pins });
      },
    });
    const run = await runPromote(`http://127.0.0.1:${server.port}`, "t", evidenceIn(folder));
    expect(resultOf(run)).toEqual([0, ""]);
    expect(asked).toContain("GET /v1/policy");
    expect(asked.filter((one) => one.startsWith("POST"))).toEqual(["POST /cp/admin/runtime-image/promote"]);
  });
});

test.each([
  ["keys without a policy", ["--policy-key", "k"], 2, "flags_contradict"],
  ["a trust root without a policy", ["--trust", "t"], 2, "flags_contradict"],
  ["a policy that nobody vouches for", ["--policy", "policy.json"], 2, "flag_missing"],
  ["a policy that somebody else signed", ["--policy", "policy.json", "--policy-key", KEY], 6, ""],
])("%s is no server", async (_what, args, code, error) => {
  using folder = temporaryFolder();
  writePolicy(folder.at("policy.json"), 1, ["github.com/acme/*"]);
  const run = await runWaybill(["serve", "--json", "--data", folder.at("data"), ...args], {
    env: CLEAN_ENVIRONMENT,
    cwd: folder.path,
  });
  expect(run.code).toBe(code);
  if (error !== "") expect(jsonOf(run)).toMatchObject({ error: { code: error } });
});
