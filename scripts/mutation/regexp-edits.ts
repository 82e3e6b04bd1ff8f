/**
 * Expressions that take a little more or less than this one: an anchor lost, a class turned round, a repeat changed.
 */
export function regexpEdits(raw: string): string[] {
  const end = raw.lastIndexOf("/");
  const pattern = raw.slice(1, end);
  const flags = raw.slice(end + 1);
  const found: string[] = [];
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at] ?? "";
    const next = pattern[at + 1] ?? "";
    const replaced = (length: number, by: string): void => {
      found.push(pattern.slice(0, at) + by + pattern.slice(at + length));
    };
    if (sign === "\\") {
      at++;
      continue;
    }
    if (inClass) {
      if (sign === "]") inClass = false;
      continue;
    }
    if (sign === "[") {
      inClass = true;
      if (next === "^") replaced(2, "[");
      else replaced(1, "[^");
    } else if (sign === "^" || sign === "$") replaced(1, "");
    else if (sign === "+") replaced(1, "*");
    else if (sign === "*") replaced(1, "+");
    else if (sign === "?" && pattern[at - 1] !== "(") replaced(1, "");
  }
  return found.filter((one) => one !== "" && isExpression(one, flags)).map((one) => `/${one}/${flags}`);
}

function isExpression(pattern: string, flags: string): boolean {
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}
