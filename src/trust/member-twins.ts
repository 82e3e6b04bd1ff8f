import type { Failure } from "../base/failure.ts";
import type { JsonMap } from "../base/json.ts";
import { quoted } from "../base/printable.ts";

/**
 * Refuses a member that some readers take for one of `names`: Go ignores the case of names, protobuf JSON knows
 * snake_case too, so two tools would read two documents from one file.
 */
export function refuseTwins(
  value: JsonMap,
  names: readonly string[],
  from: string,
  refuse: (from: string, found: string) => Failure,
): void {
  const folded = new Set(names.map(fold));
  const twin = Object.keys(value).find((name) => !names.includes(name) && folded.has(fold(name)));
  if (twin !== undefined)
    throw refuse(from, `has a member ${quoted(twin)}, which some readers take for another`);
}

function fold(name: string): string {
  // Go's decoder takes U+017F for an "s" and U+212A for a "k"; the second one is a capital "k" here too.
  return name.replaceAll("_", "").replaceAll("\u017f", "s").toLowerCase();
}
