import { Failure } from "../base/failure.ts";
import type { FailureCode } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { shownUrl } from "../host/http.ts";

/** Worth another run without any change: the server is busy, starting, or asks for patience. */
const BUSY = new Set([408, 425]);

/** A refusal by status, with what the server said about the time of the next request. */
export class StatusFailure extends Failure {
  readonly status: number;
  readonly headers: Headers;

  constructor(
    code: FailureCode,
    message: string,
    details: { hint?: string | undefined; serverText?: string | undefined },
    answer: { readonly status: number; readonly headers: Headers },
  ) {
    super(code, message, details);
    this.status = answer.status;
    this.headers = answer.headers;
  }
}

/** The failure that an HTTP status other than success stands for; `serverText` is made inert here. */
export function failureOfStatus(
  status: number,
  headers: Headers,
  url: URL,
  serverText?: string,
): StatusFailure {
  const where = shownUrl(url);
  const said = serverText === undefined || serverText === "" ? undefined : printable(serverText);
  const fail = (code: FailureCode, message: string, hint?: string): StatusFailure =>
    new StatusFailure(
      code,
      `${where} ${message} (HTTP ${status})`,
      { serverText: said, hint },
      { status, headers },
    );
  if (status === 401) return fail("unauthorized", "refused the credential", "check the token and its expiry");
  if (status === 403)
    return fail("forbidden", "does not allow this token to do that", "check the token's scopes");
  if (status === 404 || status === 410) return fail("not_found", "has no such object");
  if (status === 407)
    return fail("proxy_failed", "was not asked: the proxy wants a credential", "check HTTPS_PROXY");
  if (status === 409) return fail("version_conflict", "holds other bytes under this name");
  if (status === 413) return fail("artifact_too_large", "takes nothing of this size");
  if (status === 429) return fail("rate_limited", "asks for fewer requests", retryAfter(headers));
  if (status >= 500 || BUSY.has(status)) return fail("server_failed", "failed", retryAfter(headers));
  if (status === 304) return fail("answer_unexpected", "says that nothing changed, which nobody asked");
  if (status >= 300 && status < 400) {
    return fail("redirect_refused", "answered with a redirect, which is not followed", "name the final URL");
  }
  if (status >= 400) return fail("request_rejected", "refused the request");
  return fail("answer_unexpected", "did not answer with the whole object");
}

function retryAfter(headers: Headers): string {
  const after = headers.get("retry-after");
  return after === null ? "run again later" : `the server asks to wait: Retry-After ${printable(after, 40)}`;
}
