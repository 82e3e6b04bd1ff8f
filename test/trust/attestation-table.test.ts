import { describe, expect, test } from "bun:test";
import { formatBundle } from "../../src/trust/bundle.ts";
import { addSignature, formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import {
  ALICE,
  APP,
  BOB,
  bundleOf,
  codesOf,
  digestOf,
  envelopeOf,
  judge,
  MALLORY,
  statement,
  type BundleDocument,
} from "./attestations.ts";

type Change = (bundle: BundleDocument) => void;

const OLD = "application/vnd.dev.sigstore.bundle+json;version=";
const good: [string, Change][] = [
  ["as it is written", () => {}],
  ["in the older spelling of its media type", (bundle) => (bundle.mediaType = `${OLD}0.3`)],
  ["of version 0.2", (bundle) => (bundle.mediaType = `${OLD}0.2`)],
  ["of version 0.1", (bundle) => (bundle.mediaType = `${OLD}0.1`)],
  ["without a keyid beside the hint", (bundle) => delete bundle.dsseEnvelope.signatures[0]?.["keyid"]],
  ["with empty evidence", (bundle) => (bundle.verificationMaterial["tlogEntries"] = [])],
  ["with members of a later version", (bundle) => (bundle["later"] = { a: 1 })],
];

const bad: [string, Change, string][] = [
  ["without a media type", (bundle) => Reflect.deleteProperty(bundle, "mediaType"), "has no mediaType"],
  [
    "of another media type",
    (bundle) => (bundle.mediaType = "application/json"),
    'has media type "application/json"',
  ],
  ["of a later version", (bundle) => (bundle.mediaType = `${OLD}0.4`), `has media type "${OLD}0.4"`],
  [
    "without material",
    (bundle) => Reflect.deleteProperty(bundle, "verificationMaterial"),
    "has no verificationMaterial",
  ],
  ["without a public key", (bundle) => (bundle.verificationMaterial = {}), "has no publicKey"],
  [
    "with an empty hint and no keyid beside it",
    (bundle) => {
      bundle.verificationMaterial.publicKey = { hint: "" };
      delete bundle.dsseEnvelope.signatures[0]?.["keyid"];
    },
    "has no hint of its public key",
  ],
  ["without a hint", (bundle) => (bundle.verificationMaterial.publicKey = {}), "has no hint"],
  [
    "with another hint",
    (bundle) => (bundle.verificationMaterial.publicKey = { hint: "x" }),
    "names two keys",
  ],
  [
    "signed with a certificate",
    (bundle) => (bundle.verificationMaterial = { certificate: { rawBytes: "AAAA" } }),
    "is signed with a certificate",
  ],
  [
    "signed with a chain of certificates",
    (bundle) => (bundle.verificationMaterial = { x509CertificateChain: {} }),
    "is signed with a certificate",
  ],
  [
    "with a certificate beside the key",
    (bundle) => (bundle.verificationMaterial["certificate"] = {}),
    "has both a public key and a certificate",
  ],
  [
    "with a chain of certificates beside the key",
    (bundle) => (bundle.verificationMaterial["x509CertificateChain"] = {}),
    "has both a public key and a certificate",
  ],
  ["with a message signature", (bundle) => (bundle["messageSignature"] = {}), "carries a messageSignature"],
  ["without a signature", (bundle) => (bundle.dsseEnvelope.signatures = []), "has 0 signatures"],
  [
    "with two signatures",
    (bundle) => bundle.dsseEnvelope.signatures.push(...bundleOf().dsseEnvelope.signatures),
    "has 2 signatures",
  ],
];

function changed(change: Change): string {
  const bundle = bundleOf();
  change(bundle);
  return JSON.stringify(bundle);
}

describe("a bundle", () => {
  test.each(good)("%s is accepted", (_what, change) => {
    const verdict = judge(changed(change));
    expect(codesOf(verdict)).toEqual([]);
    expect(verdict.accepted).toMatchObject([{ format: "bundle", unchecked: [] }]);
  });

  test.each(bad)("%s is refused", (_what, change, found) => {
    const verdict = judge(changed(change));
    expect(verdict.accepted).toEqual([]);
    expect(codesOf(verdict)).toEqual(["attestation_malformed"]);
    expect(verdict.refusals[0]?.message).toContain(`the attestation ${found}`);
    expect([verdict.checked, verdict.skippedLines]).toEqual([1, 0]);
  });

  test("without an envelope is refused", () => {
    const verdict = judge(changed((bundle) => Reflect.deleteProperty(bundle, "dsseEnvelope")));
    expect([verdict.accepted.length, codesOf(verdict)]).toEqual([0, ["envelope_malformed"]]);
  });

  test.each(["mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"])(
    "is meant by %p alone",
    (name) => {
      expect(judge(JSON.stringify({ [name]: "x" })).refusals.map(({ message }) => message)).toEqual([
        expect.stringContaining("wanted a Sigstore bundle with one DSSE envelope"),
      ]);
    },
  );

  test("is written in one spelling, and only with one signature that names its key", () => {
    const envelope = envelopeOf();
    expect(formatBundle(envelope)).toBe(formatBundle(envelopeOf()));
    const names = Object.keys(JSON.parse(formatBundle(envelope)) as object);
    expect(names).toEqual(["mediaType", "verificationMaterial", "dsseEnvelope"]);
    expect(bundleOf().mediaType).toBe("application/vnd.dev.sigstore.bundle.v0.3+json");
    expect(() => formatBundle(addSignature(BOB, envelope))).toThrow(RangeError);
    expect(() => formatBundle({ ...envelope, signatures: [] })).toThrow(RangeError);
    const nameless = envelope.signatures.map((one) => ({ ...one, keyid: null }));
    expect(() => formatBundle({ ...envelope, signatures: nameless })).toThrow(RangeError);
  });

  test("says what it carries and nobody here checks", () => {
    const text = changed((bundle) => {
      bundle.verificationMaterial["tlogEntries"] = [{}, {}];
      bundle.verificationMaterial["timestampVerificationData"] = { rfc3161Timestamps: [{}] };
    });
    expect(judge(text).accepted[0]?.unchecked).toEqual([
      "transparency log entries: 2",
      "signed timestamps: 1",
    ]);
  });

  test("is not accepted for what it carries besides, when the signature is a stranger's", () => {
    const bundle = bundleOf(statement(), MALLORY);
    bundle.verificationMaterial["tlogEntries"] = [{}];
    expect(codesOf(judge(JSON.stringify(bundle)))).toEqual(["signature_invalid"]);
  });
});

const sign = (document: unknown): string =>
  formatEnvelope(
    signEnvelope(ALICE, STATEMENT_PAYLOAD_TYPE, new TextEncoder().encode(JSON.stringify(document))),
  );

describe("a statement", () => {
  const said = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: APP } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {},
  };
  const taken: [string, unknown][] = [
    ["as it should be", said],
    ["without a predicate", { ...said, predicate: undefined }],
    [
      "with foreign members and algorithms",
      { ...said, x: 1, subject: [{ digest: { sha256: APP, blake9: "zz" }, uri: "u" }] },
    ],
    [
      "with two subjects without names",
      { ...said, subject: [{ digest: { sha1: "a" } }, { digest: { sha256: APP } }] },
    ],
  ];
  test.each(taken)("%s is accepted", (_what, document) =>
    expect(judge(sign(document)).accepted).toHaveLength(1),
  );

  const refused: [string, unknown][] = [
    ["of version 0.1", { ...said, _type: "https://in-toto.io/Statement/v0.1" }],
    ["without a type", { ...said, _type: undefined }],
    ["without subjects", { ...said, subject: [] }],
    ["with a subject without digests", { ...said, subject: [{ name: "app", digest: {} }] }],
    ["with a digest that is no string", { ...said, subject: [{ digest: { sha256: 1 } }] }],
    ["with two subjects of one name", { ...said, subject: [...said.subject, ...said.subject] }],
    ["without a predicate type", { ...said, predicateType: undefined }],
    ["with a predicate type that is no URI", { ...said, predicateType: "capture" }],
    ["with a predicate that is no object", { ...said, predicate: [1] }],
    ["that is a list", [said]],
  ];
  test.each(refused)("%s is refused", (_what, document) =>
    expect(codesOf(judge(sign(document)))).toEqual(["statement_invalid"]),
  );

  test("lists every reason at once", () => {
    const text = formatEnvelope(
      envelopeOf(
        statement({
          predicateType: "https://example.com/x",
          subjects: [{ name: "app", digest: { sha256: digestOf("other") } }],
        }),
        MALLORY,
      ),
    );
    expect(codesOf(judge(text))).toEqual([
      "signature_invalid",
      "predicate_type_mismatch",
      "subject_mismatch",
    ]);
  });
});

describe("a file", () => {
  const line = formatEnvelope(envelopeOf());
  const foreign = formatEnvelope(
    envelopeOf(statement({ subjects: [{ name: "x", digest: { sha256: digestOf("x") } }] })),
  );

  test.each(["", " \n\n", "\n"])("with nothing in it (%p) is no evidence: 7", (text) => {
    for (const byLines of [true, false]) {
      const verdict = judge(text, {}, byLines);
      expect(codesOf(verdict)).toEqual(["no_evidence"]);
      expect([verdict.checked, verdict.refusals[0]?.exitCode]).toEqual([0, 7]);
      expect(verdict.skippedLines).toBe(0);
    }
  });

  test.each([
    ["{}"],
    ["[]"],
    ["null"],
    ['"text"'],
    ['{"_type":"https://in-toto.io/Statement/v1"}'],
    ["not json"],
    ["\ufeff\ufeff{}"],
  ])("with %p alone is wrong evidence: 6", (text) => {
    const verdict = judge(text);
    expect(codesOf(verdict)).toEqual(["attestation_malformed"]);
    expect(verdict.refusals[0]?.exitCode).toBe(6);
  });

  test("of lines is read by lines, foreign ones are counted and passed over", () => {
    const text = `${foreign}\n{"some":"thing else"}\n\n[1]\n${line}\n`;
    for (const byLines of [true, false]) {
      const verdict = judge(text, {}, byLines);
      expect([verdict.accepted.length, verdict.skippedLines, verdict.checked]).toEqual([1, 2, 2]);
      expect(codesOf(verdict)).toEqual(["subject_mismatch"]);
    }
  });

  test("of lines holds in any order, and with bundles among them", () => {
    const lines = [foreign, line, JSON.stringify(bundleOf(statement(), MALLORY)), "{}"];
    for (const order of [lines, lines.toReversed()])
      expect(judge(order.join("\n"), {}, true).accepted).toHaveLength(1);
  });

  test("of lines with a broken one says which", () => {
    const verdict = judge(`${foreign}\n${line.slice(0, -5)}\n`, {}, true);
    expect(codesOf(verdict)).toEqual(["attestation_malformed", "subject_mismatch"]);
    expect(verdict.refusals[0]?.message).toContain("line 2 of");
  });

  test("of one foreign line is no evidence where lines are wanted, and a mistake where a document is", () => {
    expect(codesOf(judge('{"foreign":1}', {}, true))).toEqual(["no_evidence"]);
    expect(codesOf(judge('{"foreign":1}'))).toEqual(["attestation_malformed"]);
  });

  test("of foreign lines only is no evidence", () => {
    const verdict = judge('{"a":1}\n{"b":2}\n', {}, true);
    expect(codesOf(verdict)).toEqual(["no_evidence"]);
    expect(verdict.skippedLines).toBe(2);
  });

  test("that was printed over several lines is one document, also when it is damaged", () => {
    const pretty = JSON.stringify(bundleOf(), null, 2);
    expect(judge(pretty).accepted).toHaveLength(1);
    expect(codesOf(judge(pretty.replace('"mediaType"', '"mediaType')))).toEqual(["attestation_malformed"]);
  });

  test("of lines with a broken one is read by lines although its name does not tell", () => {
    const verdict = judge(`${line}\n${line.slice(0, -5)}\n`);
    expect(verdict.accepted).toHaveLength(1);
    expect(codesOf(verdict)).toEqual(["attestation_malformed"]);
    expect(verdict.refusals[0]?.message).toContain("line 2 of");
  });

  test("counts its lines, also those with nothing but white space on them", () => {
    const verdict = judge(` \n\t\n${line}\n  \nnot json`, {}, true);
    expect(verdict.accepted).toHaveLength(1);
    expect(verdict.refusals.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^line 5 of the attestation/u),
    ]);
  });

  test.each(["payload", "payloadType", "signatures"])("with %p alone is meant as an envelope", (name) => {
    expect(codesOf(judge(JSON.stringify({ [name]: "x" })))).toEqual(["envelope_malformed"]);
  });

  test("that is no UTF-8 is wrong evidence", () => {
    const verdict = judge(Buffer.from([0x22, 0xff, 0x22]));
    expect(verdict.refusals.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "attestation_malformed: the attestation is not valid UTF-8",
    ]);
  });
});
