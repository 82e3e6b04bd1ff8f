import { WireRefusal } from "./wire.ts";

/** The value of a parameter, or null. Empty is refused: a filter whose variable was not set would match everything. */
export function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1) throw refused(`${name} must be given once`);
  if (values[0] === "") throw refused(`${name} must not be empty`);
  if (values[0]?.includes("\0") === true) throw refused(`${name} must not hold a NUL character`);
  return values[0] ?? null;
}

/** A whole number of at least `least`; `absent` without the parameter. */
export function wholeNumber(query: URLSearchParams, name: string, absent: number, least: 0 | 1): number {
  const text = single(query, name);
  if (text === null) return absent;
  if (!/^(?:0|[1-9]\d{0,14})$/u.test(text) || Number(text) < least) {
    throw refused(`${name} must be a whole number${least === 0 ? "" : " above 0"}`);
  }
  return Number(text);
}

/** How many of a list are wanted: a hundred, and up to a thousand, where a list does not say otherwise. */
export function pageLimit(query: URLSearchParams, absent = 100, most = 1_000): number {
  const text = single(query, "limit") ?? String(absent);
  if (!/^[1-9]\d{0,14}$/u.test(text) || Number(text) > most) throw refused(`limit must be 1..${most}`);
  return Number(text);
}

function refused(message: string): WireRefusal {
  return new WireRefusal("invalid_query", message);
}
