import {
  boolean,
  decode,
  integer,
  list,
  narrowed,
  nullable,
  object,
  parsed,
  string,
  type Decoder,
} from "../base/decode.ts";
import { hexOf, isImageDigest, isSha256, type ImageDigest, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import { LIMITS } from "../base/limits.ts";
import { PROMOTION_TYPE } from "./attestation-types.ts";
import type { Statement } from "./statement.ts";

/** Who pinned what, where, when, and in place of what: the predicate of a promotion, version 1. */
export type PromotionReceipt = {
  /** The name that the run had for the environment. */
  readonly env: string;
  /** How the control plane was reached. */
  readonly origin: string;
  /** Which control plane that was, and the environment in its own words. */
  readonly plane: Plane;
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  /** The version of the row that was read back; every later change has another one. */
  readonly version: number;
  /** What the run replaced; null when there was no pin, and equal to `digest` when it was there already. */
  readonly previous: ImageDigest | null;
  /** `landed`, `landed_after_lost_response` or `already`. */
  readonly outcome: string;
  /** Which build this is, where builds are numbered. */
  readonly seq: number | null;
  readonly gitSha: string | null;
  /** The CI run, and whoever started it, as far as the environment says. */
  readonly runUrl: string | null;
  readonly actor: string | null;
  /** Why, where a rule was overridden. */
  readonly reason: string | null;
  readonly decision: ReceiptDecision | null;
  readonly promotedAt: Date;
};

export type Plane = { readonly id: Sha256; readonly env: string };

/** What let the promotion happen: a policy or none, and the statements that were held against it. */
export type ReceiptDecision = {
  readonly policy: { readonly name: string; readonly version: number } | null;
  readonly rules: readonly string[];
  readonly warnings: readonly string[];
  /** SHA-256 of the payload that was signed, with what kind of statement it is. */
  readonly evidence: readonly { readonly predicateType: string; readonly sha256: Sha256 }[];
};

/** The statement of a receipt, about the image itself. */
export function promotionStatement(receipt: PromotionReceipt): Statement {
  const { gitSha, runUrl, decision, promotedAt, plane, ...rest } = receipt;
  return {
    subjects: [{ name: rest.template, digest: { sha256: hexOf(rest.digest) } }],
    predicateType: PROMOTION_TYPE,
    predicate: {
      ...rest,
      plane: { ...plane },
      git_sha: gitSha,
      run_url: runUrl,
      decision:
        decision === null
          ? null
          : {
              policy: decision.policy === null ? null : { ...decision.policy },
              allowed: true,
              rules: [...decision.rules],
              warnings: [...decision.warnings],
              evidence: decision.evidence.map(({ predicateType, sha256 }) => ({
                predicate_type: predicateType,
                sha256,
              })),
            },
      promoted_at: promotedAt.toISOString(),
    },
  };
}

const DIGEST: Decoder<ImageDigest> = narrowed("sha256:<64 lower-case hex>", isImageDigest);
const SHA256: Decoder<Sha256> = narrowed("64 lower-case hex", isSha256);
const PREDICATE = object({
  env: string(),
  origin: string(),
  plane: object({ id: SHA256, env: string() }),
  template: string(),
  region: string(),
  digest: DIGEST,
  version: integer(),
  previous: nullable(DIGEST),
  outcome: string(),
  seq: nullable(integer()),
  git_sha: nullable(string()),
  run_url: nullable(string()),
  actor: nullable(string()),
  reason: nullable(string()),
  decision: nullable(
    object({
      policy: nullable(object({ name: string(), version: integer() })),
      allowed: boolean(),
      rules: list(string(), LIMITS.trustEntries),
      warnings: list(string(), LIMITS.trustEntries),
      evidence: list(object({ predicate_type: string(), sha256: SHA256 }), LIMITS.trustEntries),
    }),
  ),
  promoted_at: parsed("an RFC 3339 instant in UTC", instantOf),
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
  const { git_sha, run_url, promoted_at, decision, ...rest } = decoded.value;
  const sha256 = hexOf(rest.digest);
  if (!statement.subjects.some(({ digest }) => digest["sha256"] === sha256))
    return new Failure(
      "subject_mismatch",
      `the receipt speaks of ${rest.digest}, which is none of its subjects`,
    );
  if (decision !== null && !decision.allowed)
    return new Failure("statement_invalid", "the receipt says that its policy did not allow the promotion");
  return {
    ...rest,
    gitSha: git_sha,
    runUrl: run_url,
    promotedAt: promoted_at,
    decision:
      decision === null
        ? null
        : {
            policy: decision.policy,
            rules: decision.rules,
            warnings: decision.warnings,
            evidence: decision.evidence.map(({ predicate_type, sha256: of }) => ({
              predicateType: predicate_type,
              sha256: of,
            })),
          },
  };
}
