/** Patterns of ssh_config(5), for namespaces and principals: `*` stands for any characters, `?` for one. */

/** One pattern without what would end it or turn it round in a file of allowed signers. */
export function isSshPattern(text: string): boolean {
  return /^[#-+\--~][!#-+\--~]{0,199}$/u.test(text);
}

/** In time of the product of both lengths at most: a pattern of many stars must not hold the machine. */
export function matchesSshPattern(pattern: string, name: string): boolean {
  let at = 0;
  let index = 0;
  let star: { readonly after: number; tried: number } | null = null;
  while (index < name.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = { after: ++at, tried: index };
    } else if (wanted === "?" || wanted === name[index]) {
      at++;
      index++;
    } else if (star === null) {
      return false;
    } else {
      // One character more for the last star, and the rest of the pattern again.
      at = star.after;
      index = ++star.tried;
    }
  }
  return /^\**$/u.test(pattern.slice(at));
}

/** A list of patterns with commas between them, as principals are named: one must match, and none of the `!` ones. */
export function matchesSshPatternList(list: string, name: string): boolean {
  const patterns = list.split(",");
  const negated = patterns.flatMap((pattern) => (pattern.startsWith("!") ? [pattern.slice(1)] : []));
  if (negated.some((pattern) => matchesSshPattern(pattern, name))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesSshPattern(pattern, name));
}
