import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { jsonOf, type Finished } from "../support/binary.ts";
import type { TemporaryFolder } from "../support/temporary.ts";
import { GOOD_CAPTURE, POLICY, ruleWith } from "./attestations.ts";
import { prepared, runIn } from "./attested.ts";

/** With a policy that Bob signed and a good capture that Alice attested. */
async function withPolicy(policy: unknown = POLICY): Promise<TemporaryFolder> {
  const folder = prepared();
  const now = new Date();
  const soon = new Date(now.getTime() + 86_400_000);
  const dated = {
    ...(policy as object),
    issued_at: new Date(now.getTime() - 1_000).toISOString(),
    expires_at: soon.toISOString(),
  };
  writeFileSync(folder.at("policy.json"), JSON.stringify(dated));
  writeFileSync(
    folder.at("predicate.json"),
    JSON.stringify({ ...GOOD_CAPTURE, attested_at: now.toISOString() }),
  );
  const run = runIn(folder);
  const predicate = ["--predicate", "predicate.json", "--predicate-type", CAPTURE_TYPE];
  await run("attest", "app", ...predicate, "--key", "alice.key");
  await run("policy", "sign", "policy.json", "--key", "bob.key");
  return folder;
}

const VERIFY = ["verify", "attestation", "app.sigstore.json", "--subject", "app", "--key", "alice.key.pub"];
const UNDER = ["--policy", "policy.signed.json", "--policy-key", "bob.key.pub"];

function codeOf(ran: Finished): [number, string | undefined] {
  return [ran.code, (jsonOf(ran)["error"] as { code: string } | undefined)?.code];
}

describe("a signed policy", () => {
  test("lets pass what it allows, and says by which rules", async () => {
    using folder = await withPolicy();
    const ran = await runIn(folder)(...VERIFY, ...UNDER, "--env", "prod", "--template", "app", "--json");
    expect(codeOf(ran)).toEqual([0, undefined]);
    expect(jsonOf(ran)["accepted"]).toMatchObject([{ policy_rules: ["images"] }]);
  });

  test("refuses with 5 and every reason", async () => {
    using folder = await withPolicy(
      ruleWith({ repositories: ["github.com/other/*"], refs: ["refs/tags/*"] }),
    );
    const ran = await runIn(folder)(...VERIFY, ...UNDER, "--json");
    expect(codeOf(ran)).toEqual([5, "policy_denied"]);
    expect(jsonOf(ran)["refusals"]).toHaveLength(2);
  });

  test("that only warns lets pass and says so", async () => {
    using folder = await withPolicy(ruleWith({ level: "warn", refs: ["refs/tags/*"] }));
    const ran = await runIn(folder)(...VERIFY, ...UNDER);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/^warning: policy [^\n]*refs\/tags\/\*/mu);
  });

  test.each([
    [
      "signed by a stranger",
      ["--policy", "policy.signed.json", "--policy-key", "alice.key.pub"],
      6,
      "signature_invalid",
    ],
    ["not signed", ["--policy", "policy.json", "--policy-key", "bob.key.pub"], 6, "signature_invalid"],
    ["that is missing", ["--policy", "none.json", "--policy-key", "bob.key.pub"], 2, "file_unreadable"],
    [
      "that is an attestation",
      ["--policy", "app.sigstore.json", "--policy-key", "bob.key.pub"],
      6,
      "envelope_malformed",
    ],
    ["by the attestation's own key only", ["--policy", "policy.signed.json"], 6, "signature_invalid"],
  ])("%s allows nothing", async (_what, flags, code, failure) => {
    using folder = await withPolicy();
    expect(codeOf(await runIn(folder)(...VERIFY, ...flags, "--json"))).toEqual([code, failure]);
  });

  test("that has expired allows nothing", async () => {
    using folder = await withPolicy();
    const expired = { ...POLICY, issued_at: "2020-01-01T00:00:00Z", expires_at: "2020-02-01T00:00:00Z" };
    writeFileSync(folder.at("policy.json"), JSON.stringify(expired));
    await runIn(folder)("policy", "sign", "policy.json", "--key", "bob.key");
    expect(codeOf(await runIn(folder)(...VERIFY, ...UNDER, "--json"))).toEqual([6, "policy_expired"]);
  });
});

describe("policy sign", () => {
  test("signs the bytes as they are, and adds a signature to what others signed", async () => {
    using folder = await withPolicy();
    const run = runIn(folder);
    const again = jsonOf(await run("policy", "sign", "policy.signed.json", "--key", "alice.key", "--json"));
    expect(again).toMatchObject({ out: "policy.signed.json", signatures: 2, rules: ["images"] });
    const envelope = JSON.parse(readFileSync(folder.at("policy.signed.json"), "utf8")) as { payload: string };
    expect(Buffer.from(envelope.payload, "base64").toString()).toBe(
      readFileSync(folder.at("policy.json"), "utf8"),
    );
    for (const name of ["alice", "bob"])
      expect((await run("policy", "check", "policy.signed.json", "--key", `${name}.key.pub`)).code).toBe(0);
  });

  test("refuses what could not be obeyed", async () => {
    using folder = await withPolicy();
    writeFileSync(folder.at("policy.json"), JSON.stringify(ruleWith({ claen: true })));
    const ran = await runIn(folder)("policy", "sign", "policy.json", "--key", "bob.key", "--json");
    expect(codeOf(ran)).toEqual([2, "policy_invalid"]);
    const wrong = await runIn(folder)("policy", "sign", "app.sigstore.json", "--key", "bob.key", "--json");
    expect(codeOf(wrong)).toEqual([2, "policy_invalid"]);
  });

  test("adds no signature to a policy that was signed as something else", async () => {
    using folder = await withPolicy();
    const envelope = JSON.parse(readFileSync(folder.at("policy.signed.json"), "utf8")) as object;
    const other = JSON.stringify({ ...envelope, payloadType: "application/vnd.in-toto+json" });
    writeFileSync(folder.at("other.json"), other);
    const ran = await runIn(folder)("policy", "sign", "other.json", "--key", "bob.key", "--json");
    expect(codeOf(ran)).toEqual([6, "payload_type_mismatch"]);
    expect(readFileSync(folder.at("other.json"), "utf8")).toBe(other);
  });

  test.each(["policy.json", "bob.key"])("does not write over %s", async (out) => {
    using folder = await withPolicy();
    const before = readFileSync(folder.at(out), "utf8");
    const words = ["policy", "sign", "policy.json", "--key", "bob.key", "--out", out, "--json"];
    expect(codeOf(await runIn(folder)(...words))).toEqual([2, "flags_contradict"]);
    expect(readFileSync(folder.at(out), "utf8")).toBe(before);
  });
});

describe("policy check", () => {
  test("shows the rules of a place, and refuses a place without one", async () => {
    const rules = [{ name: "production", environments: ["prod"], templates: ["app"] }];
    using folder = await withPolicy({ ...POLICY, rules });
    const check = ["policy", "check", "policy.signed.json", "--key", "bob.key.pub"];
    const shown = jsonOf(await runIn(folder)(...check, "--env", "prod", "--json"));
    expect(shown).toMatchObject({
      ok: true,
      checked: 1,
      policy: "production",
      rules: [{ name: "production", level: "enforce" }],
    });
    for (const place of [
      ["--env", "lab"],
      ["--env", "prod", "--template", "other"],
    ])
      expect(codeOf(await runIn(folder)(...check, ...place, "--json"))).toEqual([5, "policy_denied"]);
    const app = ["--env", "prod", "--template", "app"];
    expect(codeOf(await runIn(folder)(...check, ...app, "--json"))).toEqual([0, undefined]);
    expect(codeOf(await runIn(folder)("policy", "check", "policy.signed.json", "--json"))).toEqual([
      2,
      "flag_missing",
    ]);
  });

  test("says why a good signature of the root does not count, and takes no older root", async () => {
    using folder = await withPolicy();
    const run = runIn(folder);
    const trust = (...words: string[]): Promise<Finished> =>
      run("key", "trust", ...words, "--key", "alice.key");
    await trust("init", "trust.json");
    await trust("add", "trust.json", "--name", "bob", "--public-key", "bob.key.pub", "--role", "policy");
    const old = readFileSync(folder.at("trust.json"));
    const words = ["policy", "check", "policy.signed.json", "--trust", "trust.json", "--json"];
    const check = (...more: string[]): Promise<Finished> => run(...words, ...more);
    expect(codeOf(await check("--trust-state", "seen"))).toEqual([0, undefined]);
    await trust("revoke", "trust.json", "bob");
    const refused = await check("--trust-state", "seen");
    expect(codeOf(refused)).toEqual([6, "signature_invalid"]);
    expect(jsonOf(refused)["refusals"]).toMatchObject([
      { code: "signature_invalid" },
      { code: "key_revoked" },
    ]);
    writeFileSync(folder.at("trust.json"), old);
    expect(codeOf(await check("--trust-state", "seen"))).toEqual([6, "trust_root_rollback"]);
    expect(codeOf(await check("--key", "bob.key.pub"))).toEqual([2, "flags_contradict"]);
    const stray = ["policy", "check", "policy.signed.json", "--key", "bob.key.pub", "--trust-state", "seen"];
    expect(codeOf(await run(...stray, "--json"))).toEqual([2, "flags_contradict"]);
  });
});
