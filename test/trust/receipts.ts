import { isImageDigest, type ImageDigest } from "../../src/base/digest.ts";
import type { PromotionReceipt } from "../../src/trust/attestation-promotion.ts";
import { APP, digestOf } from "./attestations.ts";

export function image(sha256: string): ImageDigest {
  const digest = `sha256:${sha256}`;
  if (isImageDigest(digest)) return digest;
  throw new Error("no digest");
}

/** A receipt of the image of `APP`, as the seventh event of a control plane. */
export const RECEIPT: PromotionReceipt = {
  env: "prod",
  origin: "https://cp.example.com",
  plane: { id: digestOf("plane"), env: "production" },
  template: "codex",
  region: "global",
  digest: image(APP),
  version: 7,
  previous: null,
  outcome: "landed",
  seq: 41,
  gitSha: "0123abc",
  runUrl: null,
  actor: "octocat",
  reason: null,
  decision: null,
  promotedAt: new Date("2026-11-21T09:00:00Z"),
};
