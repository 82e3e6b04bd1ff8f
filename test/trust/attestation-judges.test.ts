import { describe, expect, test } from "bun:test";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatStatement } from "../../src/trust/statement.ts";
import {
  ALICE,
  bundleOf,
  envelopeOf,
  judge,
  MALLORY,
  statement,
  type BundleDocument,
} from "./attestations.ts";
import { sigstoreBundle, sigstoreTakes } from "./judges.ts";

/** Bundles with one thing wrong, and two verdicts on each. What the commands write and read: attestation-tools. */

describe("@sigstore/verify", () => {
  test("takes our bundle, and under no other key", () => {
    const bundle: unknown = JSON.parse(formatBundle(envelopeOf()));
    expect([sigstoreTakes(bundle), sigstoreTakes(bundle, MALLORY)]).toEqual([true, false]);
  });

  const changes: [string, (bundle: BundleDocument) => void][] = [
    ["another payload", (bundle) => (bundle.dsseEnvelope.payload = Buffer.from("{}").toString("base64"))],
    ["another payload type", (bundle) => (bundle.dsseEnvelope.payloadType = "text/plain")],
    [
      "another signature",
      (bundle) => (bundle.dsseEnvelope.signatures = bundleOf(undefined, MALLORY).dsseEnvelope.signatures),
    ],
    ["another hint", (bundle) => (bundle.verificationMaterial.publicKey = { hint: "x" })],
    ["no signature", (bundle) => (bundle.dsseEnvelope.signatures = [])],
    ["another media type", (bundle) => (bundle.mediaType = "application/json")],
    ["no key", (bundle) => (bundle.verificationMaterial = {})],
  ];
  test.each(changes)("and we refuse the same bundle with %s", (_what, change) => {
    const bundle = bundleOf();
    change(bundle);
    expect(sigstoreTakes(bundle)).toBe(false);
    expect(judge(JSON.stringify(bundle)).accepted).toEqual([]);
  });
});

describe("@sigstore/sign", () => {
  const said = formatStatement(statement());

  test("makes a bundle that we take, with the signature that we would have made", async () => {
    const made = await sigstoreBundle();
    expect(judge(JSON.stringify(made)).accepted).toHaveLength(1);
    const theirs = made["dsseEnvelope"] as BundleDocument["dsseEnvelope"];
    expect(theirs.signatures[0]?.["sig"]).toBe(bundleOf().dsseEnvelope.signatures[0]?.["sig"]);
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
