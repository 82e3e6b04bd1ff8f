import { describe, expect, test } from "bun:test";
import { isImageDigest, type ImageDigest } from "../../src/base/digest.ts";
import { Failure } from "../../src/base/failure.ts";
import {
  promotionReceipt,
  promotionStatement,
  type PromotionReceipt,
} from "../../src/trust/attestation-promotion.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import { APP, digestOf, envelopeOf, judge } from "./attestations.ts";

function image(sha256: string): ImageDigest {
  const digest = `sha256:${sha256}`;
  if (isImageDigest(digest)) return digest;
  throw new Error("no digest");
}

const RECEIPT: PromotionReceipt = {
  env: "prod",
  origin: "https://cp.example.com",
  template: "codex",
  region: "global",
  digest: image(APP),
  previous: null,
  gitSha: "0123abc",
  runUrl: null,
  actor: "octocat",
  promotedAt: new Date("2026-11-21T09:00:00Z"),
};

describe("a receipt", () => {
  test.each([
    RECEIPT,
    { ...RECEIPT, previous: image(digestOf("before")), gitSha: null, actor: null, runUrl: "https://ci" },
  ])("comes back out of a verified statement as it went in (%#)", (receipt) => {
    const text = formatEnvelope(envelopeOf(promotionStatement(receipt)));
    const [accepted] = judge(text, { predicateType: PROMOTION_TYPE }).accepted;
    if (accepted === undefined) throw new Error("it was refused");
    expect(promotionReceipt(accepted.statement)).toEqual(receipt);
  });

  const said = promotionStatement(RECEIPT);
  const bad: [string, Parameters<typeof promotionReceipt>[0], string][] = [
    ["of another type", { ...said, predicateType: CAPTURE_TYPE }, "predicate_type_mismatch"],
    ["without an environment", { ...said, predicate: { ...said.predicate, env: null } }, "statement_invalid"],
    [
      "with a tag for a digest",
      { ...said, predicate: { ...said.predicate, digest: "latest" } },
      "statement_invalid",
    ],
    ["at no time", { ...said, predicate: { ...said.predicate, promoted_at: "today" } }, "statement_invalid"],
    [
      "about another image",
      { ...said, predicate: { ...said.predicate, digest: image(digestOf("x")) } },
      "subject_mismatch",
    ],
  ];
  test.each(bad)("%s is refused", (_what, statement, code) => {
    const found = promotionReceipt(statement);
    expect(found instanceof Failure ? (found.code as string) : null).toBe(code);
  });
});
