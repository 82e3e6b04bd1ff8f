import type { JsonValue } from "../base/json.ts";

/** The stable `code` of an error answer, with its HTTP status. Append only: clients match on these. */
const STATUS = {
  invalid_json: 400,
  invalid_field: 400,
  invalid_query: 400,
  invalid_multipart: 400,
  upload_aborted: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  version_conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  hash_mismatch: 422,
  artifact_not_stored: 422,
  internal_error: 500,
  unavailable: 503,
  storage_full: 507,
} as const;

export type WireCode = keyof typeof STATUS;

/** A request that we refuse: thrown by handlers, turned into one answer in `handle.ts`. */
export class WireRefusal extends Error {
  override readonly name = "WireRefusal";
  readonly code: WireCode;
  readonly headers: Readonly<Record<string, string>>;

  /** `text` is the `error` member: the one that existing scripts print. */
  constructor(code: WireCode, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.code = code;
    this.headers = headers;
  }

  get status(): number {
    return STATUS[this.code];
  }

  toResponse(): Response {
    return json({ error: this.message, code: this.code }, this.status, this.headers);
  }
}

export function json(
  value: JsonValue,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

/** On every answer: nothing we send is a page, and nothing of it belongs into a shared cache. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};
