import type { JsonValue } from "./json.ts";

/** One string without escapes, and the colon that makes it a name. In such a text strings cannot hold a quote. */
const STRING = /"[^"]*"[ \t\n\r]*:?/gu;

/**
 * The document that the runtime's own parser finds in a text, when it is sure that the strict reader of json.ts would
 * find the same one; undefined leaves the text to that reader. Most documents have no escape in them, and then every
 * name can be counted: as many as there are members means that none occurs twice.
 */
export function parsePlainJson(text: string, maxDepth: number): JsonValue | undefined {
  if (text.includes("\\") || text.startsWith("\ufeff") || !text.isWellFormed()) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const members = countMembers(value, maxDepth);
  if (Number.isNaN(members)) return undefined;
  // What the runtime would write again as it stands has each name once; programs mostly send such texts.
  return JSON.stringify(value) === text || members === countNames(text) ? value : undefined;
}

function countNames(text: string): number {
  let names = 0;
  // A plain loop: a callback for each string would cost a short run more than the rest of the reading.
  for (const string of text.match(STRING) ?? []) if (string.endsWith(":")) names++;
  return names;
}

/** Takes the prototype from every object on the way. NaN for what the strict reader refuses. */
function countMembers(value: JsonValue, depthLeft: number): number {
  if (typeof value === "number") return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== "object" || value === null) return 0;
  if (depthLeft === 0) return Number.NaN;
  let members = 0;
  let inside: readonly JsonValue[];
  if (Array.isArray(value)) inside = value;
  else {
    inside = Object.values(value);
    members = inside.length;
    Object.setPrototypeOf(value, null);
  }
  for (const item of inside) {
    if (typeof item === "object" || typeof item === "number") members += countMembers(item, depthLeft - 1);
  }
  return members;
}
