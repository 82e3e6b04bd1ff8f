/**
 * Whether an If-Match header holds for `etag` (RFC 9110 §13.1.1: compared strongly, so that a weak one never does;
 * `*` holds for anything that is there). `etag` is null for nothing.
 */
export function ifMatchHolds(header: string, etag: string | null): boolean {
  if (etag === null) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((one) => one.trim() === etag);
}

/** Whether an If-None-Match header names `etag` (RFC 9110 §13.1.2: compared weakly, `*` matches all). */
export function noneMatch(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return [...header.matchAll(/(?:W\/)?("[^"]*")/gu)].some((found) => found[1] === etag);
}
