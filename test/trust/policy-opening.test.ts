import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { Failure } from "../../src/base/failure.ts";
import { addSignature, signEnvelope, type Envelope } from "../../src/trust/dsse.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE, policyRises } from "../../src/trust/policy.ts";
import type { TrustedSigners } from "../../src/trust/trusted-signers.ts";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import { ALICE, BOB, MALLORY, POLICY, policyBytes } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const BYTES = policyBytes(POLICY);
const SIGNED = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, BYTES);
const ONLY_BOB: TrustedSigners = { keys: [BOB.publicKey], threshold: 1, distrusted: [] };

function open(
  envelope: Envelope,
  signedBy: TrustedSigners = ONLY_BOB,
  now = "2026-11-21T12:00:00Z",
): ReturnType<typeof openPolicy> {
  return openPolicy(envelope, "the policy", signedBy, new Date(now), repositoryName);
}

/** The refusals, each as `code: message`. */
function refusals(opened: ReturnType<typeof openPolicy>): string[] {
  return opened.ok ? [] : opened.refusals.map(({ code, message }) => `${code}: ${message}`);
}

describe("a policy", () => {
  test("is opened with who signed it, and the digest of what was signed", () => {
    const opened = open(SIGNED);
    expect(opened).toMatchObject({ ok: true, sha256: sha256Of(Buffer.from(BYTES).toString()) });
    expect(opened).toMatchObject({
      policy: { name: "production", version: 1, signers: [BOB.publicKey], rules: [{ name: "images" }] },
    });
  });

  test("is signed as what it is called for ever: every policy that somebody signed says it", () => {
    expect(SIGNED.payloadType).toBe("application/vnd.waybill.policy.v1+json");
  });

  const INSTANTS: [string, string[]][] = [
    ["2026-10-31T23:54:59.999Z", ["policy_not_yet_valid"]],
    ["2026-10-31T23:55:00Z", []],
    ["2027-01-31T23:59:59.999Z", []],
    ["2027-02-01T00:00:00Z", ["policy_expired"]],
  ];
  test.each(INSTANTS)("at %s: %p", (now, wanted) => {
    expect(refusals(open(SIGNED, ONLY_BOB, now)).map((text) => text.split(":")[0] ?? "")).toEqual(wanted);
  });

  test("by a stranger is not read, and told with its place", () => {
    const found = refusals(open(signEnvelope(MALLORY, POLICY_PAYLOAD_TYPE, new Uint8Array([0x7b]))));
    expect(found).toEqual([expect.stringMatching(/^signature_invalid: the policy: signature 1 of 1/u)]);
  });

  test("signed as something else is refused for that, also by who may sign", () => {
    const other = "application/vnd.in-toto+json";
    expect(refusals(open(signEnvelope(BOB, other, BYTES)))).toEqual([
      `payload_type_mismatch: the policy is signed as "${other}"; wanted "${POLICY_PAYLOAD_TYPE}"`,
    ]);
    expect(
      refusals(open(signEnvelope(MALLORY, other, BYTES))).map((text) => text.split(":")[0] ?? ""),
    ).toEqual(["signature_invalid", "payload_type_mismatch"]);
  });

  test("by a key that was revoked says so", () => {
    const why = new Failure("key_revoked", "lost");
    const signedBy = { ...ONLY_BOB, keys: [ALICE.publicKey], distrusted: [{ key: BOB.publicKey, why }] };
    expect(refusals(open(SIGNED, signedBy))).toContain("key_revoked: the policy: lost");
    // Beside a signature that counts nobody asks about it.
    const both = { ...signedBy, distrusted: [{ key: BOB.publicKey, why }] };
    expect(open(addSignature(ALICE, SIGNED), both).ok).toBe(true);
  });

  test("needs as many keys as are wanted", () => {
    const two = { keys: [ALICE.publicKey, BOB.publicKey], threshold: 2, distrusted: [] };
    expect(open(SIGNED, two).ok).toBe(false);
    expect(open(addSignature(ALICE, SIGNED), two).ok).toBe(true);
  });
});

describe("a policy that was seen before", () => {
  const seen = { name: "production", version: 3, sha256: sha256Of("a") };
  const other = sha256Of("b");

  test("is the same, or rises", () => {
    expect(policyRises(seen, seen, "it")).toBe(false);
    expect(policyRises(seen, { ...seen, version: 4 }, "it")).toBe(true);
    expect(policyRises(seen, { ...seen, version: 4, sha256: other }, "it")).toBe(true);
  });

  const back: [string, Partial<typeof seen>, string][] = [
    ["an older one", { version: 2 }, "it is version 2, older than the version 3 that was seen before"],
    [
      "an older one of other bytes",
      { version: 2, sha256: other },
      "it is version 2, older than the version 3 that was seen before",
    ],
    [
      "another one of its version",
      { sha256: other },
      "it is another version 3 than the one that was seen before",
    ],
    [
      "a newer one of another name",
      { name: "x", version: 4 },
      'it is "x", another policy than the "production" that was seen before',
    ],
    [
      "the same under another name",
      { name: "x" },
      'it is "x", another policy than the "production" that was seen before',
    ],
  ];
  test.each(back)("is not followed by %s", (_what, found, message) => {
    const refusal = refusalOf(() => policyRises(seen, { ...seen, ...found }, "it"));
    expect([refusal.code, refusal.message]).toEqual(["policy_rollback", message]);
  });
});
