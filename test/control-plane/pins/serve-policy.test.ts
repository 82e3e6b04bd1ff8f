import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { formatEnvelope, signEnvelope } from "../../../src/trust/dsse.ts";
import { spkiPem } from "../../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../../src/trust/policy.ts";
import { CLEAN_ENVIRONMENT, jsonOf, runWaybill } from "../../support/binary.ts";
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

async function promoted(server: ControlPlaneProcess, token: string): Promise<[number, string]> {
  const run = await runWaybill(
    [
      ...["promote", "--json", "--template", "codex", "--digest", `sha256:${APP}`, "--allow-insecure-http"],
      ...["--target", `prod=${server.address}`, "--token-env", "prod=CP_TOKEN"],
    ],
    { env: { ...CLEAN_ENVIRONMENT, CP_TOKEN: token } },
  );
  const { legs } = jsonOf(run) as { legs: { error: { code: string } | null }[] };
  return [run.code, legs[0]?.error?.code ?? ""];
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
    const before = server.stderr().length;
    process.kill(server.pid, "SIGHUP");
    while (!server.stderr().slice(before).includes(told)) await Bun.sleep(20);
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
