import { expect, test } from "bun:test";
import { toBase64 } from "../../../src/base/encoding.ts";
import { formatStatement } from "../../../src/trust/statement.ts";
import { APP, bundleOf, codesOf, digestOf, envelopeOf, judge, statement } from "../attestations.ts";
import { formatEnvelope, signEnvelope } from "../../../src/trust/dsse.ts";
import { ALICE } from "../attestations.ts";

/** Readers of JSON differ in which of two equal names they take: two tools would read two documents. */
const other = toBase64(
  formatStatement(statement({ subjects: [{ name: "x", digest: { sha256: digestOf("x") } }] })),
);

test.each([
  ["before the real one", `{"payload":"${other}",`, "{"],
  ["after the real one", "}", `,"payload":"${other}"}`],
])("a second payload %s is refused", (_where, put, at) => {
  const text = formatEnvelope(envelopeOf());
  const twice = put === "}" ? text.replace(/\}$/u, at) : text.replace(/^\{/u, put);
  expect(twice).not.toBe(text);
  const verdict = judge(twice);
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["attestation_malformed"]);
});

test("so is one inside a bundle", () => {
  const text = JSON.stringify(bundleOf()).replace('"payload":', `"payload":"${other}","payload":`);
  expect(judge(text).accepted).toEqual([]);
});

test("and a second digest inside of what was signed", () => {
  const said = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${"0".repeat(64)}","sha256":"${APP}"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}`;
  const signed = signEnvelope(ALICE, "application/vnd.in-toto+json", new TextEncoder().encode(said));
  expect(codesOf(judge(formatEnvelope(signed)))).toEqual(["statement_invalid"]);
});
