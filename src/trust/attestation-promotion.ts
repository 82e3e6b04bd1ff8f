import { isImageDigest, type ImageDigest } from "../base/digest.ts";
import { decode, narrowed, nullable, object, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "./attestation-capture.ts";
import { PROMOTION_TYPE } from "./attestation-types.ts";
import type { Statement } from "./statement.ts";

/** Who pinned what, where, when, and in place of what: the predicate of a promotion, version 1. */
export type PromotionReceipt = {
  readonly env: string;
  /** The origin of the control plane. */
  readonly origin: string;
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  /** What was pinned before; null when there was no pin. */
  readonly previous: ImageDigest | null;
  readonly gitSha: string | null;
  /** The CI run, and whoever started it, as far as the environment says. */
  readonly runUrl: string | null;
  readonly actor: string | null;
  readonly promotedAt: Date;
};

/** The statement of a receipt, about the image itself. */
export function promotionStatement(receipt: PromotionReceipt): Statement {
  const { env, origin, template, region, digest, previous, gitSha, runUrl, actor, promotedAt } = receipt;
  return {
    subjects: [{ name: template, digest: { sha256: digest.slice("sha256:".length) } }],
    predicateType: PROMOTION_TYPE,
    predicate: {
      env,
      origin,
      template,
      region,
      digest,
      previous,
      git_sha: gitSha,
      run_url: runUrl,
      actor,
      promoted_at: promotedAt.toISOString(),
    },
  };
}

const DIGEST = narrowed("sha256:<64 lower-case hex>", isImageDigest);
const PREDICATE = object({
  env: string(),
  origin: string(),
  template: string(),
  region: string(),
  digest: DIGEST,
  previous: nullable(DIGEST),
  git_sha: nullable(string()),
  run_url: nullable(string()),
  actor: nullable(string()),
  promoted_at: string("an RFC 3339 instant in UTC", (text) => instantOf(text) !== null),
});

/**
 * The receipt that a verified statement carries, or why it is none. Its digest must be among the subjects: what is
 * signed about one image must not speak of another one.
 */
export function promotionReceipt(statement: Statement): PromotionReceipt | Failure {
  if (statement.predicateType !== PROMOTION_TYPE)
    return new Failure("predicate_type_mismatch", "the statement is no receipt of a promotion");
  const decoded = decode(PREDICATE, statement.predicate);
  if (!decoded.ok)
    return new Failure("statement_invalid", `the receipt is not whole: ${decoded.problems.join("; ")}`);
  const { git_sha, run_url, promoted_at, ...rest } = decoded.value;
  const sha256 = rest.digest.slice("sha256:".length);
  if (!statement.subjects.some(({ digest }) => digest["sha256"] === sha256))
    return new Failure(
      "subject_mismatch",
      `the receipt speaks of ${rest.digest}, which is none of its subjects`,
    );
  return { ...rest, gitSha: git_sha, runUrl: run_url, promotedAt: new Date(promoted_at) };
}
