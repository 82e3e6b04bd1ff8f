import { describe, expect, test } from "bun:test";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";
import { askOf, type Wanted } from "../../src/addons/assigned/ask.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { bareKeys } from "../../src/addons/staging/release-signers.ts";
import { statementProblem, statementWarnings } from "../../src/addons/staging/statement-rules.ts";
import { verifyStatement } from "../../src/addons/staging/verify-statement.ts";
import { LAST_INSTANT } from "../../src/base/instant.ts";
import { Failure } from "../../src/base/failure.ts";
import { addonClaims, addonStatement, type AddonClaims } from "../../src/trust/attestation-addon.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { signEnvelope } from "../../src/trust/dsse.ts";
import { FRESH } from "./facts.ts";
import { ALICE, APP, BOB, digestOf, envelopeOf, MALLORY, NOW, statement } from "../trust/attestations.ts";
import { refusalOf } from "../trust/refusal.ts";

const CLAIMS: AddonClaims = {
  addonId: "sample",
  version: "2.0",
  os: "linux",
  arch: "amd64",
  size: 7,
  issued: new Date("2026-11-01T00:00:00Z"),
  expires: new Date("2026-12-01T00:00:00Z"),
  minimumVersion: "1.5",
};
const LINUX = { os: "linux", arch: "amd64" };
const KEYS = [ALICE.publicKey];

function signed(claims: Partial<AddonClaims> = {}, key = ALICE, sha256 = APP): string {
  return formatBundle(envelopeOf(addonStatement(sha256, { ...CLAIMS, ...claims }), key));
}

function verify(text: string, keys = KEYS, platform = LINUX): ReturnType<typeof verifyStatement> {
  const wanted = { id: "sample", version: "2.0", statement: text, sha256: APP };
  return verifyStatement(wanted, platform, bareKeys(keys), NOW);
}

describe("the statement of an artifact", () => {
  test("says what its publisher says", () => {
    const text = signed();
    expect(verify(text)).toStrictEqual({
      envelope: text,
      keyid: ALICE.publicKey.keyid,
      signers: [ALICE.publicKey.keyid],
      size: 7,
      expires: "2026-12-01T00:00:00.000Z",
      minimum_version: "1.5",
    });
  });

  test("need not end, nor name an oldest version", () => {
    expect(verify(signed({ expires: null, minimumVersion: "" }))).toMatchObject({
      expires: "",
      minimum_version: "",
    });
  });

  test("that did not come says nothing, with and without keys", () => {
    expect([verify(""), verify("", [])]).toEqual([null, null]);
  });

  test("needs one key of those that may sign", () => {
    expect(verify(signed({}, BOB), [ALICE.publicKey, BOB.publicKey])?.keyid).toBe(BOB.publicKey.keyid);
  });

  const about = "the signed statement is about";
  const wrong: [string, string, string, string][] = [
    [
      "about another add-on",
      signed({ addonId: "other" }),
      "statement_mismatch",
      `${about} add-on "other"; assigned is "sample"`,
    ],
    [
      "about another version",
      signed({ version: "2.1" }),
      "statement_mismatch",
      `${about} version "2.1"; assigned is "2.0"`,
    ],
    [
      "about another system",
      signed({ os: "darwin" }),
      "statement_mismatch",
      `${about} platform "darwin/amd64"; assigned is "linux/amd64"`,
    ],
    [
      "about another processor",
      signed({ arch: "arm64" }),
      "statement_mismatch",
      `${about} platform "linux/arm64"; assigned is "linux/amd64"`,
    ],
    ["about other bytes", signed({}, ALICE, digestOf("other")), "subject_mismatch", `wanted sha256 ${APP}`],
    ["by a stranger", signed({}, MALLORY), "signature_invalid", "does not verify under key"],
    [
      "that is another kind of statement",
      formatBundle(envelopeOf(statement())),
      "predicate_type_mismatch",
      "wanted",
    ],
    ["that is white space", " ", "no_evidence", "there is nothing to verify"],
    ["that is no attestation", "{}", "attestation_malformed", "the statement of add-on"],
  ];
  test.each(wrong)("%s is refused", (_what, text, code, message) => {
    const failure = refusalOf(() => verify(text));
    expect(failure.code as string).toBe(code);
    expect(failure.message).toContain(message);
  });

  test("that nobody here can check is refused", () => {
    const failure = refusalOf(() => verify(signed(), []));
    expect([failure.code, failure.message]).toEqual([
      "signature_invalid",
      'the statement of add-on "sample" is signed and no key is configured to check it with',
    ]);
  });

  test("with one fault tells that one", () => {
    const failure = refusalOf(() => verify(signed({}, MALLORY)));
    expect([failure.code as string, failure.cause]).toEqual(["signature_invalid", undefined]);
  });

  test("with several faults tells all of them under the first one", () => {
    const failure = refusalOf(() => verify(signed({}, MALLORY, digestOf("other"))));
    expect(failure.code).toBe("signature_invalid");
    expect(failure.message).toMatch(/does not verify under key .*; the statement of .* it is about another/u);
    expect(failure.hint).toBe(
      "it was made by another key, or payload or payload type were changed afterwards",
    );
    expect(failure.cause).toBeInstanceOf(Failure);
  });
});

describe("the claims of a statement", () => {
  const whole = addonStatement(APP, CLAIMS);

  test("are written and read alike", () => {
    expect(addonClaims(whole)).toStrictEqual(CLAIMS);
    const least = { ...CLAIMS, expires: null, minimumVersion: "" };
    expect(addonClaims(addonStatement(APP, least))).toStrictEqual(least);
    expect(Object.keys(addonStatement(APP, least).predicate)).toEqual([
      "addon_id",
      "version",
      "os",
      "arch",
      "size",
      "issued",
    ]);
    expect(whole.subjects).toEqual([{ name: "sample 2.0 linux/amd64", digest: { sha256: APP } }]);
  });

  const malformed: [string, Record<string, unknown>][] = [
    ["an empty id", { addon_id: "" }],
    ["an empty version", { version: "" }],
    ["no system", { os: undefined }],
    ["an empty processor", { arch: "" }],
    ["a size that is text", { size: "7" }],
    ["half a byte", { size: 7.5 }],
    ["no time of issue", { issued: undefined }],
    ["a time that is none", { issued: "yesterday" }],
    ["an end that is no time", { expires: "never" }],
    ["an oldest version that is empty", { minimum_version: "" }],
  ];
  test.each(malformed)("with %s are refused", (_what, changes) => {
    const predicate = JSON.parse(JSON.stringify({ ...whole.predicate, ...changes }));
    const failure = refusalOf(() => addonClaims({ ...whole, predicate }));
    expect(failure.code).toBe("statement_invalid");
    expect(failure.message).toStartWith("the statement of the add-on is malformed: ");
  });

  test("that are empty say what was wanted", () => {
    const failure = refusalOf(() => addonClaims({ ...whole, predicate: { ...whole.predicate, os: "" } }));
    expect(failure.message).toEndWith(': os is ""; wanted text');
  });

  test("that are wrong in many places name three", () => {
    const failure = refusalOf(() => addonClaims({ ...whole, predicate: {} }));
    expect(failure.message.match(/is missing/gu)).toHaveLength(3);
  });
});

test("an envelope of another payload type is no statement", () => {
  const envelope = signEnvelope(ALICE, "text/plain", envelopeOf(addonStatement(APP, CLAIMS)).payload);
  expect(refusalOf(() => verify(formatBundle(envelope))).code).toBe("payload_type_mismatch");
});

function wanted(): Wanted {
  const artifact = { artifact_object_key: "k", artifact_sha256: APP, artifact_signature: "00".repeat(64) };
  const entry = { addon_id: "sample", enabled: true, version: "2.0", ...artifact };
  const [assignment] = decodeAssignments(JSON.stringify({ addons: [entry] }), {
    what: "the list",
    code: "input_invalid",
  }).assignments;
  const ask = assignment === undefined ? null : askOf(assignment, LINUX, new Layout("/r", "waybill"));
  if (ask?.kind !== "artifact") throw new Error("nothing to stage");
  return ask.wanted;
}

test.each<[string, Date, string]>([
  [
    "is known",
    new Date("2026-12-02T00:00:00Z"),
    "ended at 2026-12-01T00:00:00.000Z; it is 2026-12-02T00:00:00.000Z",
  ],
  [
    "cannot be told",
    LAST_INSTANT,
    "ends at 2026-12-01T00:00:00.000Z, and clock.json, which says whether that is over, cannot be read",
  ],
])("a statement that has ended says when, where the time %s", (_name, now, words) => {
  const sample = wanted();
  const facts = { ...FRESH, stated: verify(signed()), now };
  expect(statementProblem(sample, facts)?.message).toBe(`the statement about version "2.0" ${words}`);
  const [when] = words.split(";");
  const runs = { ...facts, active: sample.sha256 };
  expect(statementProblem(sample, runs)).toBeNull();
  expect(statementWarnings(sample, runs).map(({ message }) => message)).toEqual([
    `add-on "sample": the statement about "2.0" ${when}; what runs goes on`,
  ]);
});
