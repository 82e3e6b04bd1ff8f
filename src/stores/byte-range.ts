import type { Resume, Validator } from "./store.ts";

/** What a 206 answer says that it carries (RFC 9110 §14.4). */
type ContentRange = { readonly first: number; readonly last: number; readonly length: number | null };

/** `bytes 100-199/200`, or null for anything else. */
export function parseContentRange(text: string | null): ContentRange | null {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/iu.exec(text ?? "");
  if (found === null) return null;
  const [first, last] = [Number(found[1]), Number(found[2])];
  const length = found[3] === "*" ? null : Number(found[3]);
  return first > last || (length !== null && last >= length) ? null : { first, last, length };
}

/** Whether a 206 answer is the rest of the object that `resume` is the beginning of, all of it. */
export function continues(headers: Headers, resume: Resume): boolean {
  const range = parseContentRange(headers.get("content-range"));
  if (range === null || range.first !== resume.offset) return false;
  if (range.length !== null && range.last !== range.length - 1) return false;
  // A server that knows no If-Range answers with a part of the new object.
  const etag = headers.get("etag");
  return resume.validator.kind !== "etag" || etag === null || etag === resume.validator.text;
}

/**
 * By what a broken read may be resumed: a strong entity tag, or a date of change that lies a second or more before
 * the answer, which no second change within that second can have (RFC 9110 §8.8.2.2).
 */
export function validatorOf(headers: Headers): Validator | null {
  if (/^none$/iu.test(headers.get("accept-ranges")?.trim() ?? "")) return null;
  const etag = headers.get("etag")?.trim();
  if (etag !== undefined && /^"[\u0021\u0023-\u007e]{1,200}"$/u.test(etag))
    return { kind: "etag", text: etag };
  if (etag !== undefined) return null;
  const changed = headers.get("last-modified")?.trim() ?? "";
  const answered = Date.parse(headers.get("date") ?? "");
  return answered - Date.parse(changed) >= 1_000 ? { kind: "date", text: changed } : null;
}

/** Bytes that the answer announces, or null. */
export function announcedLength(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/u.test(text) ? Number(text) : null;
}
