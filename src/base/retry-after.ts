/**
 * Milliseconds that a `Retry-After` header asks to wait (RFC 9110 §10.2.3: seconds, or an HTTP date), or null when
 * there is none that can be read. A date counts from the answer's own `Date`, so that no clock has to be right;
 * `now` stands in for an answer without one.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  if (/^\d{1,9}$/u.test(text)) return Number(text) * 1_000;
  const until = httpDate(text);
  if (until === null) return null;
  const from = httpDate(headers.get("date") ?? "") ?? now;
  return Math.max(0, until - from);
}

/** Only the one form that is sent today; what `Date.parse` would also take is no date of HTTP. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/u;

function httpDate(text: string): number | null {
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
