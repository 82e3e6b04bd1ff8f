/** Whether an If-None-Match header names `etag` (RFC 9110 §13.1.2: compared weakly, `*` matches all). */
export function noneMatch(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return [...header.matchAll(/(?:W\/)?("[^"]*")/gu)].some((found) => found[1] === etag);
}
