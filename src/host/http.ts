import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { isLoopback } from "./endpoint.ts";
import { errorCode } from "./files.ts";
import type { Proxy } from "./proxy.ts";

export type HttpRequest = {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | FormData | Blob;
  /** Milliseconds for the whole exchange, the body included. */
  readonly deadlineMs: number;
  /** Ceiling for the body of the answer, in bytes, counted while it streams. */
  readonly maxBytes: number;
  readonly stop?: AbortSignal;
} & Connection;

/** How a server is reached, and how it and this side know each other. */
export type Connection = {
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
  /** What this side shows of itself to a server that asks for a certificate. */
  readonly identity?: ClientIdentity;
  /** The proxy to go through, null for none; without it the variables of the environment decide. */
  readonly proxy?: Pick<Proxy, "url" | "shown" | "from"> | null;
};

/** A certificate chain and its private key, both PEM. */
export type ClientIdentity = { readonly cert: string; readonly key: string };

export type HttpHead = { readonly status: number; readonly headers: Headers };
export type HttpAnswer = HttpHead & { readonly body: Uint8Array };

/** The whole answer. Throws Failure: a transport code, `answer_too_large` or an interruption. */
export async function request(wanted: HttpRequest): Promise<HttpAnswer> {
  const response = await send(wanted);
  const body = await (isShort(response, wanted) ? wholeBody(response, wanted) : collected(response, wanted));
  return { status: response.status, headers: response.headers, body };
}

/** A body without a length, or with a long one. Apart: the first call of what has a `for await` takes 0.14 ms. */
async function collected(response: Response, wanted: HttpRequest): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const chunk of bounded(response, wanted)) pieces.push(chunk);
  const [only = new Uint8Array()] = pieces;
  return pieces.length <= 1 ? only : new Uint8Array(Buffer.concat(pieces));
}

/**
 * The answer as it comes. The only place that talks HTTP: no redirect is followed (a redirected POST turns into a
 * GET and a false success), nothing is decompressed (digests are over the bytes on the wire), no socket is reused
 * (a reused one that died makes Bun send a GET or PUT twice), certificates are always checked.
 */
export async function open(
  wanted: HttpRequest,
): Promise<HttpHead & { readonly chunks: AsyncIterable<Uint8Array> }> {
  const response = await send(wanted);
  return { status: response.status, headers: response.headers, chunks: bounded(response, wanted) };
}

async function send(wanted: HttpRequest): Promise<Response> {
  if (wanted.url.protocol !== "https:" && wanted.url.protocol !== "http:") {
    throw new Failure("url_invalid", `${shownUrl(wanted.url)} is neither http nor https`);
  }
  const deadline = AbortSignal.timeout(wanted.deadlineMs);
  const signal = wanted.stop === undefined ? deadline : AbortSignal.any([deadline, wanted.stop]);
  try {
    const response = await fetch(wanted.url, {
      method: wanted.method,
      headers: { "accept-encoding": "identity", ...wanted.headers },
      ...(wanted.body === undefined ? {} : { body: wanted.body }),
      redirect: "manual",
      decompress: false,
      keepalive: false,
      // A proxy would get what was meant for this machine, over plain http with the credential in it.
      ...proxyOption(wanted),
      ...tlsOption(wanted),
      // Explicit, because BUN_CONFIG_VERBOSE_FETCH would otherwise decide.
      verbose: false,
      signal,
    });
    try {
      refuseLongHead(response.headers, wanted.url);
      refuseDoubtfulLength(response.headers, wanted.url);
    } catch (error) {
      // Nobody is going to read the rest: the connection ends now, and not when memory is tidied up.
      void response.body?.cancel().catch(() => {});
      throw error;
    }
    return response;
  } catch (error) {
    throw error instanceof Failure ? error : transportFailure(error, wanted);
  }
}

/**
 * Whether the server promised a length within the ceiling: then no more than that is read, and the runtime's stream,
 * which costs a short run more than the request, is not needed.
 */
function isShort({ headers }: Response, { maxBytes }: HttpRequest): boolean {
  const length = headers.get("content-length") ?? "";
  return /^\d{1,9}$/u.test(length) && Number(length) <= maxBytes;
}

async function wholeBody(response: Response, wanted: HttpRequest): Promise<Uint8Array> {
  try {
    return await response.bytes();
  } catch (error) {
    throw transportFailure(error, wanted);
  }
}

/** The runtime gives up at a few megabytes; nobody sends that much in good faith. */
function refuseLongHead(headers: Headers, url: URL): void {
  let length = 0;
  const all: Readonly<Record<string, unknown>> = headers.toJSON();
  // One name has a list of values: Set-Cookie.
  for (const name in all) length += name.length + String(all[name]).length;
  if (length > LIMITS.headerBytes) throw headTooLarge(url);
}

/** Two ends for one body, or a coding that is not undone here: readers differ in what they take (RFC 9112 §6.1). */
function refuseDoubtfulLength(headers: Headers, url: URL): void {
  const coding = headers.get("transfer-encoding");
  if (coding === null || (/^chunked$/iu.test(coding) && !headers.has("content-length"))) return;
  const both = headers.has("content-length") ? " and a length" : "";
  throw new Failure(
    "answer_malformed",
    `${shownUrl(url)} answered with transfer-encoding ${quoted(coding, 40)}${both}: where it ends is open`,
  );
}

function headTooLarge(url: URL): Failure {
  return new Failure(
    "answer_too_large",
    `${shownUrl(url)} sent more than ${LIMITS.headerBytes} bytes of headers`,
  );
}

function tlsOption({ url, ca, identity }: HttpRequest): { tls?: Bun.TLSOptions } {
  // Over http to this machine there is no TLS on the way; elsewhere there may be a proxy that speaks it.
  if (url.protocol === "http:" && isLoopback(url)) return {};
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED would otherwise decide.
  return { tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }), ...identity } };
}

function proxyOption({ url, proxy }: HttpRequest): { proxy?: string | false } {
  if (isLoopback(url) || proxy === null) return { proxy: false };
  return proxy === undefined ? {} : { proxy: proxy.url };
}

async function* bounded(response: Response, wanted: HttpRequest): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    if (response.body === null) return;
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > wanted.maxBytes) {
        throw new Failure(
          "answer_too_large",
          `${shownUrl(wanted.url)} sent more than ${wanted.maxBytes} bytes`,
        );
      }
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Failure ? error : transportFailure(error, wanted);
  }
}

/** A URL for messages: no user, no password, no query (presigned ones carry their key there), no fragment. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Verdicts about the certificate: they come before the first byte of the request. */
const CERTIFICATE =
  /CERT|CRL|SELF_SIGNED|VERIFY|ISSUER|ALTNAME|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/iu;
/** TLS that went wrong at any moment, the one after the request included. */
const TLS = /^EPROTO$|TLS|SSL/u;
const REFUSED = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "FailedToOpenSocket",
]);

function transportFailure(error: unknown, wanted: HttpRequest): Failure {
  if (wanted.stop?.aborted === true) return interruption(wanted.stop, `waiting for ${wanted.url.host}`);
  const { proxy } = wanted;
  const way = proxy === undefined || proxy === null ? "" : ` via proxy ${proxy.shown}`;
  const where = `${shownUrl(wanted.url)}${way}`;
  // The runtime's error is not handed on: its message quotes the whole URL, and a query may hold a signature.
  const code = errorCode(error);
  if (error instanceof Error && error.name === "TimeoutError") {
    return new Failure("deadline_passed", `${where} gave no whole answer within ${wanted.deadlineMs} ms`);
  }
  if (code === "ResponseHeadersTooLarge") return headTooLarge(wanted.url);
  if (/PROXY/iu.test(code)) return tunnelRefused(error, where, proxy?.from);
  // The proxy is looked up and called from here, the server from there.
  if (way !== "" && (isUnknownName(code) || REFUSED.has(code))) {
    return new Failure("proxy_failed", `no connection to the proxy ${proxy?.shown} (${code})`, {
      hint: `check ${proxy?.from} and NO_PROXY, or pass --proxy none`,
    });
  }
  if (isUnknownName(code)) {
    return new Failure("name_not_resolved", `the name ${wanted.url.hostname} was not found`, {
      hint: "check the host in the target's URL and this machine's DNS",
    });
  }
  if (REFUSED.has(code))
    return new Failure("connection_failed", `no connection to ${wanted.url.host} (${code})`);
  if (CERTIFICATE.test(code)) {
    return new Failure("tls_failed", `the certificate of ${wanted.url.host}${way} is not trusted (${code})`, {
      hint: tlsHint(code),
    });
  }
  // Not a broken connection that trying again could mend: what listens there speaks something else, wants a
  // certificate of ours, or somebody in between spoils the bytes.
  if (TLS.test(code)) {
    return new Failure("tls_broken", `${wanted.url.host}${way} speaks no TLS that we understand (${code})`, {
      hint: "is it the port of plain http, or does it want --client-cert?",
    });
  }
  const kind = error instanceof Error ? error.name : "no error";
  return new Failure("connection_lost", `the exchange with ${where} broke (${code === "" ? kind : code})`);
}

function isUnknownName(code: string): boolean {
  return code === "ENOTFOUND" || code === "EAI_AGAIN" || /DNS/u.test(code);
}

/** The status of the refusal stands only in the runtime's message, the proxy's own words beside it. */
function tunnelRefused(error: unknown, where: string, from: string | undefined): Failure {
  const status = error instanceof Error ? /tunnel: (\d{3})\b/u.exec(error.message)?.[1] : undefined;
  const how = status === undefined ? "failed" : `refused with ${status}`;
  return new Failure("proxy_failed", `the tunnel to ${where} ${how}`, {
    hint:
      status === "407"
        ? `the proxy wants a login: user:password@ in ${from ?? "HTTPS_PROXY"}`
        : `check ${from ?? "HTTPS_PROXY, HTTP_PROXY"} and NO_PROXY`,
  });
}

function tlsHint(code: string): string {
  if (/ALTNAME/u.test(code)) return "it is for another name; check the host in the URL";
  if (/EXPIRED|NOT_YET_VALID/u.test(code)) return "check the server's certificate and this machine's clock";
  return "pass the issuing certificate with --cacert";
}
