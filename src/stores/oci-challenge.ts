/** What a registry wants before it answers (RFC 9110 §11.6.1): a token from `realm`, or name and password. */
export type Challenge =
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string | null }
  | { readonly scheme: "basic" };

const PARAMETER = /\s*([a-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/iuy;

/** The challenge in a WWW-Authenticate header, or null when it is none that we can meet. */
export function parseChallenge(header: string | null): Challenge | null {
  const scheme = /^\s*(bearer|basic)\s+/iu.exec(header ?? "");
  if (header === null || scheme === null) return null;
  if (scheme[1]?.toLowerCase() === "basic") return { scheme: "basic" };
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = scheme[0].length;
  for (let found = PARAMETER.exec(header); found !== null; found = PARAMETER.exec(header)) {
    const name = (found[1] ?? "").toLowerCase();
    // Twice the same name says two things.
    if (parameters.has(name)) return null;
    parameters.set(name, (found[2] ?? found[3] ?? "").replace(/\\(.)/gu, "$1"));
    if (PARAMETER.lastIndex >= header.length) break;
  }
  const realm = parameters.get("realm");
  return realm === undefined ? null : { scheme: "bearer", realm, service: parameters.get("service") ?? null };
}
