/**
 * Whether a name fits a pattern: `*` stands for any characters but `/`, `**` for any at all, everything else for
 * itself. Time is the product of the two lengths, whatever the pattern is.
 */
export function globMatches(pattern: string, name: string): boolean {
  const steps = stepsOf(pattern);
  // reachable[i]: the first i steps can have consumed the characters so far.
  let reachable = new Set<number>(closure(0, steps));
  for (const character of name) {
    const next = new Set<number>();
    for (const at of reachable) {
      const step = steps[at];
      if (step === "**" || (step === "*" && character !== "/"))
        for (const to of closure(at, steps)) next.add(to);
      else if (step === character) for (const to of closure(at + 1, steps)) next.add(to);
    }
    reachable = next;
  }
  return reachable.has(steps.length);
}

/** Single characters and wildcards, a row of stars as one. A literal star is never among the single characters. */
function stepsOf(pattern: string): readonly string[] {
  return pattern.replaceAll(/\*\*+/gu, "**").match(/\*\*|[^]/gu) ?? [];
}

/** A wildcard may stand for nothing. */
function closure(at: number, steps: readonly string[]): number[] {
  const reached = [at];
  for (let to = at; steps[to] === "*" || steps[to] === "**"; to++) reached.push(to + 1);
  return reached;
}
