import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { mergeEqual, parseAttestations, type Attestation } from "../../src/trust/attestation.ts";
import { formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { ALICE, BOB, bundleOf, envelopeOf, statement } from "./attestations.ts";

function parsed(text: string, byLines = false): ReturnType<typeof parseAttestations> {
  return parseAttestations(new TextEncoder().encode(text), "it", byLines);
}

const line = formatEnvelope(envelopeOf());

describe("what was found", () => {
  test("an envelope alone is one, with nothing beside it", () => {
    expect(parsed(line)).toEqual({
      attestations: [{ from: "it", format: "dsse", envelope: envelopeOf(), unchecked: [] }],
      refusals: [],
      skippedLines: 0,
    });
  });

  test.each([
    ["nothing", ""],
    ["no document", "x"],
    ["another document", "{}"],
    ["a broken envelope", '{"payload":1}'],
  ])("%s has no lines that were passed over", (_what, text) => {
    expect(parsed(text).skippedLines).toBe(0);
  });

  test("is looked for by lines when one of as many as are read is a document", () => {
    const broken = (count: number): string => `${"x\n".repeat(count)}${line}`;
    expect(parsed(broken(LIMITS.attestations - 1)).attestations).toHaveLength(1);
    expect(parsed(broken(LIMITS.attestations))).toMatchObject({
      attestations: [],
      refusals: [{ code: "attestation_malformed" }],
    });
  });
});

describe("one statement that two people signed", () => {
  const by = (key: typeof ALICE, logged: number): string => {
    const bundle = bundleOf(statement(), key);
    bundle.verificationMaterial["tlogEntries"] = Array(logged).fill({});
    bundle.verificationMaterial["timestampVerificationData"] = { rfc3161Timestamps: [{}] };
    return JSON.stringify(bundle);
  };
  const merged = (...lines: string[]): Attestation[] =>
    mergeEqual(parsed(lines.join("\n"), true).attestations);

  test("stands in the place of the first, with the signatures of both and all that nobody checks", () => {
    const [both, ...rest] = merged(by(ALICE, 1), by(BOB, 2));
    expect(rest).toEqual([]);
    expect(both).toMatchObject({ from: "line 1 of it", format: "bundle" });
    expect(both?.envelope).toMatchObject({
      payloadType: envelopeOf().payloadType,
      payload: envelopeOf().payload,
    });
    expect(both?.envelope.signatures.map(({ keyid }) => keyid)).toEqual([
      ALICE.publicKey.keyid,
      BOB.publicKey.keyid,
    ]);
    expect(both?.unchecked).toEqual([
      "transparency log entries: 1",
      "signed timestamps: 1",
      "transparency log entries: 2",
    ]);
  });

  test("is another one under another payload type", () => {
    const { payload } = envelopeOf();
    expect(merged(line, formatEnvelope(signEnvelope(BOB, "application/json", payload)))).toHaveLength(2);
  });
});
