import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { parseAttestations } from "../../src/trust/attestation.ts";
import { formatEnvelope, verifyEnvelope } from "../../src/trust/dsse.ts";
import { ALICE, envelopeOf, judge } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

describe("a file", () => {
  const line = formatEnvelope(envelopeOf());

  test("that is just small enough, and has just few enough lines, is read", () => {
    const blank = new Uint8Array(LIMITS.attestationBytes).fill(0x20);
    expect(parseAttestations(blank, "it", false).refusals).toEqual([]);
    const lines = new TextEncoder().encode("{}\n".repeat(LIMITS.attestations));
    expect(parseAttestations(lines, "it", true).skippedLines).toBe(LIMITS.attestations);
  });

  test("that is too large or has too many lines is refused with 10", () => {
    const inputs: [Uint8Array, boolean][] = [
      [new Uint8Array(LIMITS.attestationBytes + 1).fill(0x20), false],
      [new TextEncoder().encode("{}\n".repeat(LIMITS.attestations + 1)), true],
      [new TextEncoder().encode("[".repeat(1_000)), false],
    ];
    for (const [input, byLines] of inputs) {
      const refusal = refusalOf(() => parseAttestations(input, "it", byLines));
      expect([refusal.code, refusal.exitCode]).toEqual(["evidence_too_large", 10]);
    }
  });

  test("that is large and has many signatures for many keys is refused with 10 before it is hashed for each", () => {
    const keys = Array.from({ length: 1_000 }, (_, at) => ({ ...ALICE.publicKey, keyid: `${at}` }));
    const { payloadType, signatures } = envelopeOf();
    const payload = new Uint8Array(300_000);
    const envelope = { payloadType, payload, signatures: signatures.flatMap((one) => Array(16).fill(one)) };
    const trusted = { keys, threshold: 1, distrusted: [] };
    const refusal = refusalOf(() => judge(formatEnvelope(envelope), { trusted }));
    expect([refusal.code, refusal.exitCode]).toEqual(["evidence_too_large", 10]);
    // A policy and a trust root are opened by the same door.
    expect(refusalOf(() => verifyEnvelope(envelope, keys, 1)).code).toBe("evidence_too_large");
    // Several smaller ones count together.
    const small = { ...envelope, payload: new Uint8Array(90_000) };
    const lines = Array.from({ length: 4 }, (_, at) =>
      formatEnvelope({ ...small, payload: small.payload.map(() => at) }),
    );
    expect(refusalOf(() => judge(lines.join("\n"), { trusted }, true)).code).toBe("evidence_too_large");
  });

  test("with more signatures and keys than anybody would try is refused with 10", () => {
    const keys = Array.from({ length: LIMITS.signatureTrials + 1 }, () => ({
      ...ALICE.publicKey,
      keyid: `${Math.random()}`,
    }));
    const trusted = { keys, threshold: 1, distrusted: [] };
    expect(refusalOf(() => judge(line, { trusted })).code).toBe("evidence_too_large");
  });
});
