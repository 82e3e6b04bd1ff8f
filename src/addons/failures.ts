import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** What went wrong with add-ons, each failure saying with which. */
export function failuresOf(
  results: readonly { readonly addonId: string; readonly failure: Failure | null }[],
): Failure[] {
  return results.flatMap(({ addonId, failure }) =>
    failure === null
      ? []
      : [new Failure(failure.code, `add-on ${quoted(addonId)}: ${failure.message}`, failure)],
  );
}
