import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { envelopeOf, POLICY, policyBytes, statement } from "./attestations.ts";
import { aRoot, envelopeOf as rootEnvelope, keyOf, trusted } from "./roots.ts";

/** `app` with what the keys of these names say about it, under a trust root with these entries. */
function prepared(
  keys: readonly TrustedKey[],
  said: { by: string; predicateType: string },
  thresholds: Readonly<Record<string, number>> = {},
): TemporaryFolder {
  const folder = temporaryFolder();
  writeFileSync(folder.at("app"), "app");
  const about = statement({ predicateType: said.predicateType });
  writeFileSync(folder.at("app.json"), formatEnvelope(envelopeOf(about, keyOf(said.by))));
  writeFileSync(folder.at("trust.json"), formatEnvelope(rootEnvelope(aRoot(keys, { thresholds }), ["root"])));
  return folder;
}

async function verify(folder: TemporaryFolder, ...more: readonly string[]): Promise<[number, string[]]> {
  const args = [
    "verify",
    "attestation",
    "app.json",
    "--subject",
    "app",
    "--trust",
    "trust.json",
    "--json",
    ...more,
  ];
  const ran = await runWaybill(args, { cwd: folder.path });
  const { refusals, error } = jsonOf(ran) as { refusals?: { code: string }[]; error?: { code: string } };
  const codes = refusals?.map(({ code }) => code) ?? [];
  return [ran.code, codes.length > 0 || error === undefined ? codes : [error.code]];
}

const CAPTURER = trusted("ci", { roles: ["capture"] });
const day = 86_400_000;

describe("under a trust root", () => {
  test("a capture counts by a key in that role, and a receipt by one in its own", async () => {
    using capture = prepared([CAPTURER], { by: "ci", predicateType: CAPTURE_TYPE });
    expect(await verify(capture)).toEqual([0, []]);
    using receipt = prepared([CAPTURER], { by: "ci", predicateType: PROMOTION_TYPE });
    expect(await verify(receipt)).toEqual([6, ["signature_invalid", "key_not_authorised"]]);
    expect(await verify(receipt, "--role", "capture")).toEqual([0, []]);
  });

  const refused: [string, TrustedKey, string][] = [
    ["a key that has expired", { ...CAPTURER, validUntil: new Date(Date.now() - day) }, "key_expired"],
    [
      "a key that is not valid yet",
      { ...CAPTURER, validFrom: new Date(Date.now() + day) },
      "key_not_yet_valid",
    ],
    [
      "a revoked key",
      { ...CAPTURER, revocation: { at: new Date(), reason: null, stillTrusted: [] } },
      "key_revoked",
    ],
    ["a key for other artifacts", { ...CAPTURER, scopes: ["lib-*"] }, "key_not_authorised"],
    ["a key for OpenSSH signatures", { ...CAPTURER, namespaces: ["git"] }, "key_not_authorised"],
  ];
  test.each(refused)("%s does not count, and the reason is told", async (_what, key, code) => {
    using folder = prepared([key], { by: "ci", predicateType: CAPTURE_TYPE });
    expect(await verify(folder)).toEqual([6, ["signature_invalid", code]]);
  });

  test("a flag may raise the threshold of the root and not lower it", async () => {
    const keys = [CAPTURER, trusted("other", { roles: ["capture"] })];
    using folder = prepared(keys, { by: "ci", predicateType: CAPTURE_TYPE }, { capture: 2 });
    expect(await verify(folder, "--threshold", "1")).toEqual([6, ["threshold_not_met"]]);
    using one = prepared(keys, { by: "ci", predicateType: CAPTURE_TYPE });
    expect(await verify(one, "--threshold", "2")).toEqual([6, ["threshold_not_met"]]);
  });

  test("a policy counts by a key in its role, whoever may capture", async () => {
    const open = {
      ...POLICY,
      rules: [{ name: "all" }],
      expires_at: new Date(Date.now() + day).toISOString(),
    };
    for (const [by, expected] of [
      ["boss", [0, []]],
      ["ci", [6, ["signature_invalid"]]],
    ] as const) {
      const keys = [CAPTURER, trusted("boss", { roles: ["policy"] })];
      using folder = prepared(keys, { by: "ci", predicateType: CAPTURE_TYPE });
      const signed = signEnvelope(keyOf(by), POLICY_PAYLOAD_TYPE, policyBytes(open));
      writeFileSync(folder.at("policy.json"), formatEnvelope(signed));
      expect(await verify(folder, "--policy", "policy.json")).toEqual([expected[0], [...expected[1]]]);
    }
  });

  test("allowed signers may attest, and may sign no policy", async () => {
    using folder = prepared([], { by: "ci", predicateType: CAPTURE_TYPE });
    const line = formsOf(keyOf("ci").publicKey).ssh;
    writeFileSync(folder.at("trust.json"), `ci@example.com ${line}\n`);
    expect(await verify(folder)).toEqual([0, []]);
    expect(await verify(folder, "--policy", "policy.json")).toEqual([2, ["flag_missing"]]);
    writeFileSync(folder.at("trust.json"), `ci@example.com namespaces="git" ${line}\n`);
    expect(await verify(folder)).toEqual([6, ["signature_invalid", "key_not_authorised"]]);
  });

  test.each([
    ["both", ["--key", "00".repeat(32)], "flags_contradict"],
    ["a role that is none", ["--role", "No Role"], "invalid_value"],
  ])("%s is a usage error", async (_what, flags, code) => {
    using folder = prepared([CAPTURER], { by: "ci", predicateType: CAPTURE_TYPE });
    expect(await verify(folder, ...flags)).toEqual([2, [code]]);
  });
});
