import { describe, expect, test } from "bun:test";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatStatement } from "../../src/trust/statement.ts";
import { ALICE, envelopeOf, judge, MALLORY, statement } from "./attestations.ts";
import { sigstoreBundle } from "./judges.ts";

const said = formatStatement(statement());

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
