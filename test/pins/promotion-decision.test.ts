import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import {
  decidePromotion,
  decisionDocument,
  describeDecision,
  evidenceAbout,
  gateFailure,
  type Gate,
  type GateDecision,
} from "../../src/pins/promotion-gate.ts";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import { parseAttestations } from "../../src/trust/attestation.ts";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { formatEnvelope, type Envelope } from "../../src/trust/dsse.ts";
import {
  ALICE,
  APP,
  digestOf,
  envelopeOf,
  GOOD_CAPTURE,
  MALLORY,
  NOW,
  POLICY,
  ruleWith,
  statement,
  underPolicy,
} from "../trust/attestations.ts";
import { image } from "../trust/receipts.ts";

const WANTED = { template: "app", region: "global", digest: image(APP) };
const GOOD = envelopeOf();
const ALICES = [ALICE.publicKey];

function gate(envelopes: readonly Envelope[], policy: unknown = null): Gate {
  const text = envelopes.map(formatEnvelope).join("\n");
  return {
    attestations: parseAttestations(new TextEncoder().encode(text), "the evidence", true),
    trusted: () => () => ({ keys: ALICES, threshold: 1, distrusted: [] }),
    policy: policy === null ? null : (underPolicy(policy).policy?.document ?? null),
    predicateType: null,
    repositoryName,
    now: NOW,
  };
}

function decideOne(envelopes: readonly Envelope[], policy: unknown = null): GateDecision {
  const [decision] = decidePromotion(gate(envelopes, policy), ["prod"], [WANTED]);
  if (decision === undefined) throw new Error("nothing was decided");
  return decision;
}

const place = { env: "prod", template: "app" };
const REFUSED = new Failure("policy_denied", "the branch is another one", { hint: "ask" });

function shut(...codes: FailureCode[]): GateDecision {
  const refusals = codes.map((code) => new Failure(code, `about ${code}`, { hint: code }));
  return { ...place, allowed: false, rules: [], refusals, warnings: [], evidence: [] };
}

const OPEN: GateDecision = { ...shut(), allowed: true };

describe("a promotion", () => {
  test("is decided for every pin in every environment", () => {
    const pins = [WANTED, { ...WANTED, template: "other" }];
    const decided = decidePromotion(gate([GOOD]), ["prod", "lab"], pins);
    expect(decided.map(({ env, template, allowed }) => [env, template, allowed])).toEqual([
      ["prod", "app", true],
      ["prod", "other", true],
      ["lab", "app", true],
      ["lab", "other", true],
    ]);
  });

  test("is allowed by one statement that holds, whatever lies beside it", () => {
    const sha256 = digestOf(Buffer.from(GOOD.payload).toString());
    const other = statement({ predicate: { ...GOOD_CAPTURE, note: "a stranger's" } });
    expect(decideOne([envelopeOf(other, MALLORY), GOOD])).toStrictEqual({
      ...OPEN,
      evidence: [{ predicateType: CAPTURE_TYPE, sha256, keyids: [ALICE.publicKey.keyid] }],
    });
  });

  test("names the rules of its place, also when they refuse it", () => {
    expect(decideOne([GOOD], POLICY)).toMatchObject({
      allowed: true,
      rules: [{ name: "images" }],
      refusals: [],
    });
    const denied = decideOne([GOOD], ruleWith({ refs: ["refs/tags/*"] }));
    expect(denied).toMatchObject({ allowed: false, rules: [{ name: "images" }], evidence: [] });
    expect(denied.refusals.map(({ code }) => code)).toEqual(["policy_denied"]);
  });

  test("is warned of once in the same words", () => {
    const advice = ruleWith({ refs: ["refs/tags/*"], level: "warn" });
    const other = envelopeOf(statement({ predicate: { ...GOOD_CAPTURE, note: "another one" } }));
    const decision = decideOne([GOOD, other], advice);
    expect(decision.evidence).toHaveLength(2);
    expect(decision.warnings).toHaveLength(1);
  });
});

describe("the gate", () => {
  test("is open when every decision allows", () => {
    expect(gateFailure([OPEN])).toBeNull();
    expect(gateFailure([OPEN, OPEN])).toBeNull();
  });

  const rows: [string, GateDecision[], string][] = [
    ["of no decision is shut", [], "nothing_checked: no pin was held against its attestation"],
    [
      "of a refusal without a reason is shut",
      [shut()],
      "nothing_checked: no pin was held against its attestation",
    ],
    [
      "of one refusal is shut for its reason",
      [OPEN, shut("policy_denied")],
      "policy_denied: app in prod: about policy_denied",
    ],
    [
      "tells wrong evidence before a policy",
      [shut("policy_denied"), shut("no_evidence", "subject_mismatch")],
      "subject_mismatch: app in prod: about subject_mismatch",
    ],
    [
      "tells a policy before what is missing",
      [shut("no_evidence", "policy_denied")],
      "policy_denied: app in prod: about policy_denied",
    ],
  ];
  test.each(rows)("%s", (_what, decisions, wanted) => {
    const failure = gateFailure(decisions);
    expect(`${failure?.code}: ${failure?.message}`).toBe(wanted);
  });

  test("does not count the refusals beside what is allowed", () => {
    expect(gateFailure([{ ...OPEN, refusals: [REFUSED] }])).toBeNull();
  });

  test("keeps the hint", () => {
    expect(gateFailure([{ ...shut(), refusals: [REFUSED] }])?.hint).toBe("ask");
  });
});

describe("a decision", () => {
  const sha256 = digestOf("payload");
  const allowed: GateDecision = {
    ...OPEN,
    rules: [{ name: "images", level: "enforce" }],
    warnings: ["soon too old"],
    evidence: [{ predicateType: "https://example.com/t", sha256, keyids: ["k1", "k2"] }],
  };

  test("is a document", () => {
    expect(decisionDocument(allowed)).toStrictEqual({
      ...place,
      allowed: true,
      rules: ["images"],
      refusals: [],
      warnings: ["soon too old"],
      evidence: [{ predicate_type: "https://example.com/t", sha256, keyids: ["k1", "k2"] }],
    });
    expect(decisionDocument({ ...shut(), refusals: [REFUSED] }).refusals).toEqual([
      { code: "policy_denied", message: "the branch is another one" },
    ]);
  });

  test("is told to a person", () => {
    const document = underPolicy().policy?.document ?? null;
    expect(describeDecision(allowed, document)).toBe(
      [
        'ALLOWED app in prod, under "production" version 1',
        "  rule     images (enforce)",
        `  evidence https://example.com/t sha256:${sha256}, signed by k1, k2`,
        "  warning  soon too old",
        "",
      ].join("\n"),
    );
    expect(describeDecision({ ...shut(), refusals: [REFUSED] }, null)).toBe(
      "REFUSED app in prod, without a policy\n  refusal  policy_denied: the branch is another one\n",
    );
  });
});

describe("the evidence about what is pinned", () => {
  const about = (...names: string[]): Envelope =>
    envelopeOf(statement({ subjects: names.map((name) => ({ name, digest: { sha256: digestOf(name) } })) }));
  const [app, other, both] = [about("app"), about("other"), about("other", "app")];
  const nameless = envelopeOf(statement({ subjects: [{ name: "app", digest: { sha512: "00" } }] }));
  const noStatement: Envelope = { ...app, payload: new TextEncoder().encode("{}") };

  test("is each statement about one of the digests, whoever signed it", () => {
    const foreign = envelopeOf(statement(), MALLORY);
    const all = gate([app, other, both, nameless, noStatement, foreign]).attestations;
    expect(evidenceAbout(all, [WANTED])).toEqual([app, both, foreign]);
    const pins = [WANTED, { ...WANTED, digest: image(digestOf("other")) }];
    expect(evidenceAbout(all, pins)).toEqual([app, other, both, foreign]);
    expect(evidenceAbout(all, [])).toEqual([]);
  });
});
