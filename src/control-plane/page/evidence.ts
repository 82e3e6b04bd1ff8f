import { isMap } from "../../base/decode.ts";
import type { JsonMap } from "../../base/json.ts";

/** A signed statement as it was handed in: pages read statements and verify none. */
export type SignedFact = { readonly predicate: JsonMap; readonly keyids: readonly string[] };

/**
 * What signed captures of this commit say about whether the bytes are exactly the commit's; null when none says it.
 * Of two that contradict each other the worse one counts.
 */
export function matchesCommit(captures: readonly SignedFact[], commit: string | null): boolean | null {
  const said = captures.flatMap(({ predicate }) => {
    const { fields, matches_commit: matches } = predicate;
    const field = isMap(fields) ? fields["source_commit"] : undefined;
    const isSame = commit !== null && isMap(field) && field["value"] === commit;
    return isSame && typeof matches === "boolean" ? [matches] : [];
  });
  return said.length === 0 ? null : said.every((one) => one);
}

/** A receipt of a promotion, in the words of whoever signed it; null for what it does not say. */
export type ReceiptFact = {
  readonly number: number;
  readonly at: string;
  readonly by: string;
  readonly keyids: readonly string[];
  readonly previous: string | null;
  readonly outcome: string | null;
  readonly actor: string | null;
  readonly runUrl: string | null;
};

export function receiptFact(
  stored: { readonly number: number; readonly at: string; readonly by: string },
  { predicate, keyids }: SignedFact,
): ReceiptFact {
  const text = (name: string): string | null => {
    const value = predicate[name];
    return typeof value === "string" ? value : null;
  };
  return {
    number: stored.number,
    at: stored.at,
    by: stored.by,
    keyids,
    previous: text("previous"),
    outcome: text("outcome"),
    actor: text("actor"),
    runUrl: text("run_url"),
  };
}
