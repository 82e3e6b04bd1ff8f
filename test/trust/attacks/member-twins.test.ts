import { expect, test } from "bun:test";
import { formatEnvelope, signEnvelope } from "../../../src/trust/dsse.ts";
import { ALICE, APP, bundleOf, codesOf, envelopeOf, judge } from "../attestations.ts";

/** Go takes `Payload` for `payload`, protobuf JSON `dsse_envelope` for `dsseEnvelope`. */
const envelope = (name: string): string => formatEnvelope(envelopeOf()).replace(/\}$/u, `,"${name}":"e30="}`);

test.each(["Payload", "PAYLOAD", "PayloadType", "payload_type", "Signatures", "\\u017fignatures"])(
  "an envelope with a twin %s is refused",
  (name) => expect(codesOf(judge(envelope(name)))).toEqual(["envelope_malformed"]),
);

test.each(["Sig", "KeyID", "key_id"])("a signature with a twin %s is refused", (name) => {
  const text = formatEnvelope(envelopeOf()).replace('"sig":', `"${name}":"AAAA","sig":`);
  expect(codesOf(judge(text))).toEqual(["envelope_malformed"]);
});

test.each([
  "media_type",
  "MediaType",
  "dsse_envelope",
  "dsseenvelope",
  "verification_material",
  "message_signature",
])("a bundle with a twin %s is refused", (name) =>
  expect(codesOf(judge(JSON.stringify({ ...bundleOf(), [name]: {} })))).toEqual(["attestation_malformed"]),
);

test.each([
  "PublicKey",
  "public\u212aey",
  "Certificate",
  "x509_certificate_chain",
  "tlog_entries",
  "timestamp_verification_data",
])("verification material with a twin %s is refused", (name) => {
  const bundle = bundleOf();
  bundle.verificationMaterial[name] = {};
  expect(codesOf(judge(JSON.stringify(bundle)))).toEqual(["attestation_malformed"]);
});

test.each(["Hint", "h_int"])("a public key with a twin %s is refused", (name) => {
  const bundle = bundleOf();
  bundle.verificationMaterial.publicKey = { ...bundle.verificationMaterial.publicKey, [name]: "x" };
  expect(codesOf(judge(JSON.stringify(bundle)))).toEqual(["attestation_malformed"]);
});

test.each(["type", "Subject", "predicate_type", "Predicate"])(
  "a statement with a twin %s is refused",
  (name) => {
    const said = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: APP } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {},
      [name]: "x",
    };
    const payload = new TextEncoder().encode(JSON.stringify(said));
    const signed = signEnvelope(ALICE, "application/vnd.in-toto+json", payload);
    expect(codesOf(judge(formatEnvelope(signed)))).toEqual(["statement_invalid"]);
  },
);

test("the first twin of a document is named", () => {
  const [refusal] = judge(
    JSON.stringify({ ...bundleOf(), other: 1, MediaType: 1, DsseEnvelope: 1 }),
  ).refusals;
  expect(refusal?.message).toContain('has a member "MediaType", which some readers take for another');
});
