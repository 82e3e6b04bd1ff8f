import { describe, expect, test } from "bun:test";
import { createPrivateKey, sign } from "node:crypto";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder } from "@sigstore/sign";
import { formatBundle } from "../../src/trust/bundle.ts";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { pem } from "../../src/trust/pem.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import { ALICE, envelopeOf, judge, MALLORY, statement } from "./attestations.ts";

const said = formatStatement(statement());

/** A bundle that @sigstore/sign puts together; the signature itself is OpenSSL's code, in the runtime. */
async function sigstoreBundle(
  key: SigningKey = ALICE,
  hint = ALICE.publicKey.keyid,
  payload = said,
  type = STATEMENT_PAYLOAD_TYPE,
): Promise<Record<string, unknown>> {
  const secret = createPrivateKey(pem("PRIVATE KEY", encodePkcs8(key.seed())));
  const signer = {
    sign: (data: Buffer) =>
      Promise.resolve({
        signature: sign(null, data, secret),
        key: { $case: "publicKey", publicKey: spkiPem(key.publicKey), hint } as const,
      }),
  };
  const builder = new DSSEBundleBuilder({ signer, witnesses: [] });
  const bundle = await builder.create({ data: Buffer.from(payload), type });
  return JSON.parse(JSON.stringify(bundleToJSON(bundle))) as Record<string, unknown>;
}

describe("@sigstore/sign", () => {
  test("makes a bundle that we take, with the signature that we would have made", async () => {
    const made = await sigstoreBundle();
    expect(judge(JSON.stringify(made)).accepted).toHaveLength(1);
    const ours = JSON.parse(formatBundle(envelopeOf())) as {
      dsseEnvelope: { signatures: { sig: string }[] };
    };
    const theirs = made["dsseEnvelope"] as typeof ours.dsseEnvelope;
    expect(theirs.signatures[0]?.sig).toBe(ours.dsseEnvelope.signatures[0]?.sig ?? "");
  });

  const bad: [string, () => Promise<Record<string, unknown>>][] = [
    ["by another key", () => sigstoreBundle(MALLORY)],
    ["with a hint at another key", () => sigstoreBundle(ALICE, MALLORY.publicKey.keyid)],
    ["of another payload type", () => sigstoreBundle(ALICE, undefined, said, "text/plain")],
    [
      "of something that is no statement",
      () => sigstoreBundle(ALICE, undefined, new TextEncoder().encode("{}")),
    ],
  ];
  test.each(bad)("makes one %s, and we refuse it", async (_what, make) => {
    expect(judge(JSON.stringify(await make())).accepted).toEqual([]);
  });
});
