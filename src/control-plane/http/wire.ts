import { isMap } from "../../base/decode.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";

/** The stable `code` of an error answer, with its HTTP status. Append only: clients match on these. */
const STATUS = {
  invalid_json: 400,
  invalid_field: 400,
  invalid_query: 400,
  invalid_multipart: 400,
  upload_aborted: 400,
  upload_too_slow: 408,
  unauthorized: 401,
  forbidden: 403,
  policy_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  pin_not_found: 404,
  version_conflict: 409,
  older_build: 409,
  held: 409,
  vetoed: 409,
  frozen: 409,
  too_many_attestations: 409,
  too_many_receipts: 409,
  stale_version: 412,
  too_large: 413,
  quota_exceeded: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  hash_mismatch: 422,
  key_reused: 422,
  not_in_history: 422,
  artifact_not_stored: 422,
  precondition_required: 428,
  rate_limited: 429,
  internal_error: 500,
  unavailable: 503,
  storage_full: 507,
} as const;

/** RFC 9110 §15, RFC 6585, RFC 4918. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  428: "Precondition Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
};

export type WireCode = keyof typeof STATUS;

export const WIRE_CODES: readonly string[] = Object.keys(STATUS);

/** A request that we refuse: thrown by handlers, turned into one answer in `handle.ts`. */
export class WireRefusal extends Error {
  override readonly name = "WireRefusal";
  readonly code: WireCode;
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the answer beside `error` and `code`. */
  readonly details: JsonMap;

  /** `text` is the `error` member: the one that existing scripts print. */
  constructor(
    code: WireCode,
    text: string,
    headers: Readonly<Record<string, string>> = {},
    details: JsonMap = {},
  ) {
    super(text);
    this.code = code;
    this.headers = headers;
    this.details = details;
  }

  get status(): number {
    return STATUS[this.code];
  }

  /** RFC 9457, with the members that older clients read. */
  toProblem(requestId: string): Response {
    const { status } = this;
    const title = TITLES[status] ?? "";
    const problem = {
      type: "about:blank",
      title,
      status,
      detail: this.message,
      instance: `/requests/${requestId}`,
    };
    return json({ ...problem, error: this.message, code: this.code, ...this.details }, status, {
      ...this.headers,
      "content-type": "application/problem+json",
    });
  }

  toResponse(): Response {
    return json({ error: this.message, code: this.code, ...this.details }, this.status, this.headers);
  }
}

/** Throws WireRefusal `invalid_json` for a body that is no object. */
export function requireMap(body: JsonValue, what = "a JSON object"): JsonMap {
  if (isMap(body)) return body;
  throw new WireRefusal("invalid_json", `the body must be ${what}`);
}

export function json(
  value: JsonValue,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return jsonText(JSON.stringify(value), status, headers);
}

/** On every answer that does not say otherwise: it is no page, and nothing of it belongs into a shared cache. */
export const PROTECTION: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Made once, because most answers have them: to copy them all costs as much as to set one. */
const JSON_HEADERS = new Headers({ "content-type": "application/json; charset=utf-8", ...PROTECTION });

/** JSON that is text already. */
export function jsonText(
  text: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const response = new Response(`${text}\n`, { status, headers: JSON_HEADERS });
  for (const name of Object.keys(headers)) response.headers.set(name, headers[name] ?? "");
  return response;
}

/** Sets what an answer has to have and does not say itself. */
export function protect(headers: Headers): void {
  // Only `jsonText` sets this one, with all the others.
  if (headers.has(LAST)) return;
  for (const [name, value] of Object.entries(PROTECTION)) if (!headers.has(name)) headers.set(name, value);
}

const LAST = "cross-origin-resource-policy";
