/** An envelope with a statement about this image; nobody signed it, which is not for the plane to see. */
export function envelope(kind: string, predicate: object, keyid: string, sha256 = ""): object {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    predicateType: `https://waybill.invalid/attestation/${kind}`,
    subject: [{ name: "image", digest: { sha256 } }],
    predicate,
  };
  return {
    payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
    payloadType: "application/vnd.in-toto+json",
    signatures: [{ keyid, sig: "AAAA" }],
  };
}
