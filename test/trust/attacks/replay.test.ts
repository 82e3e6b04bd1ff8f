import { expect, test } from "bun:test";
import { toBase64 } from "../../../src/base/encoding.ts";
import { formatStatement } from "../../../src/trust/statement.ts";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import {
  bundleOf,
  codesOf,
  digestOf,
  envelopeOf,
  GOOD_CAPTURE,
  judge,
  ruleWith,
  statement,
  underPolicy,
} from "../attestations.ts";

const other = digestOf("another image");

test("a good attestation of one image is worth nothing for another", () => {
  const verdict = judge(formatEnvelope(envelopeOf()), { subject: other });
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["subject_mismatch"]);
});

test("its signature is worth nothing over a statement about the other one", () => {
  const bundle = bundleOf();
  const said = statement({ subjects: [{ name: "app", digest: { sha256: other } }] });
  bundle.dsseEnvelope.payload = toBase64(formatStatement(said));
  const verdict = judge(JSON.stringify(bundle), { subject: other });
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["signature_invalid"]);
});

test("an old attestation of the right image is refused by its age", () => {
  const predicate = { ...GOOD_CAPTURE, attested_at: "2026-10-01T00:00:00Z" };
  const text = formatEnvelope(envelopeOf(statement({ predicate })));
  expect(codesOf(judge(text, underPolicy()))).toEqual(["policy_denied"]);
  expect(judge(text, underPolicy(ruleWith({ max_age: "60d" }))).accepted).toHaveLength(1);
});
