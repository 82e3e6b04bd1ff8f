/** What the tries come to, beside what was explained. */
import type { Explained } from "./explained.ts";
import type { Tried } from "./try-mutants.ts";

export type Judged = Tried & { readonly reason: string | null };

export type Verdict = {
  readonly mutants: readonly Judged[];
  /** Explanations of what is killed, or not there. */
  readonly stale: readonly string[];
};

export function judge(tried: readonly Tried[], explained: readonly Explained[]): Verdict {
  const reasons = new Map<string, string>();
  const stale: string[] = [];
  const alive = new Set(tried.filter(({ fate }) => fate !== "killed").map(({ mutant }) => keyOf(mutant)));
  for (const { file, mutants, reason } of explained) {
    if (!tried.some(({ mutant }) => mutant.file === file)) continue;
    for (const name of mutants) {
      const key = keyOf({ file, name });
      if (alive.has(key)) reasons.set(key, reason);
      else stale.push(`${file} ${name}`);
    }
  }
  return {
    mutants: tried.map((one) => ({ ...one, reason: reasons.get(keyOf(one.mutant)) ?? null })),
    stale,
  };
}

function keyOf({ file, name }: { readonly file: string; readonly name: string }): string {
  return `${file} ${name}`;
}
