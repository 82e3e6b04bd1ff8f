import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { BUILD } from "../base/version.ts";
import { request, type Connection, type HttpRequest } from "../host/http.ts";
import { classifyAbsentListing, classifyRead } from "./classify-read.ts";
import { findRow, readListing } from "./listing.ts";
import type { PinRow, WantedPin } from "./pin.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import type { Heard } from "./server-text.ts";
import { hasStrongEtag } from "./standing.ts";
import type { Credential, Target } from "./target.ts";

/** How the control planes are talked to; the same for every target of a run. */
export type Exchange = {
  readonly attemptTimeoutMs: number;
  /** How a control plane is reached: certificates, proxy. */
  readonly connection: (url: URL) => Connection;
  readonly stop: AbortSignal;
  /** In place of our own name; some edges refuse what they do not know. */
  readonly userAgent?: string | undefined;
  /** A new number from 0 up to 1 at each call, so that those who wait for one lock do not come back together. */
  readonly jitter: () => number;
};

export type Met = {
  readonly status: number | null;
  /** What the server asked us to wait. */
  readonly waitMs: number | null;
};

export type ReadAnswer = Met & {
  /** The server tells versions of its listing apart, and so may take conditional writes. */
  readonly isVersioned: boolean;
} & ({ readonly row: PinRow } | { readonly failure: Failure });

const LISTING = "/cp/admin/runtime-image";
/** The route to promote; a GET of it changes nothing. */
export const PROMOTE = "/cp/admin/runtime-image/promote";

/** Reads the listing and finds the wanted row. What goes wrong is a value, an interruption too. */
export async function readPin(target: Target, wanted: WantedPin, exchange: Exchange): Promise<ReadAnswer> {
  return readListed(target, exchange, (heard) => ({
    row: findRow(heard.body, wanted, heard.headers.get("content-type")),
  }));
}

/** Every row of an environment. */
export async function readAllPins(
  target: Target,
  exchange: Exchange,
): Promise<Met & ({ readonly rows: readonly PinRow[] } | { readonly failure: Failure })> {
  return readListed(target, exchange, (heard) => ({
    rows: readListing(heard.body, heard.headers.get("content-type")),
  }));
}

async function readListed<T extends object>(
  target: Target,
  exchange: Exchange,
  read: (heard: Heard) => T,
): Promise<Met & { readonly isVersioned: boolean } & (T | { readonly failure: Failure })> {
  const met = { status: null, waitMs: null, isVersioned: false };
  let heard: Heard;
  try {
    const message = { method: "GET", path: LISTING } as const;
    heard = await ask(target, exchange, message, reader(target), LIMITS.pinListingBytes);
  } catch (error) {
    return { ...met, failure: foreseen(error) };
  }
  const { status, headers } = heard;
  const now = { status, waitMs: retryAfterMs(headers, Date.now()), isVersioned: hasStrongEtag(headers) };
  try {
    const failure = classifyRead(heard);
    if (failure === null) return { ...now, ...read(heard) };
    const told = status === 404 ? classifyAbsentListing(failure, await sibling(target, exchange)) : failure;
    return { ...now, failure: blamed(named(told, reader(target)), target) };
  } catch (error) {
    return { ...now, failure: foreseen(error) };
  }
}

/** The body of a page beside the pins. Throws Failure; what it cannot tell is the caller's to read. */
export async function readPage(
  target: Target,
  exchange: Exchange,
  { path, what, maxBytes }: { readonly path: string; readonly what: string; readonly maxBytes: number },
): Promise<Uint8Array> {
  const heard = await ask(target, exchange, { method: "GET", path }, reader(target), maxBytes);
  const failure = classifyRead(heard, what);
  if (failure !== null) throw named(failure, reader(target));
  return heard.body;
}

/** The status of the route beside the listing, by a GET that changes nothing; null without an answer. */
async function sibling(target: Target, exchange: Exchange): Promise<number | null> {
  try {
    return (await ask(target, exchange, { method: "GET", path: PROMOTE }, reader(target))).status;
  } catch (error) {
    foreseen(error);
    return null;
  }
}

type Message = Pick<HttpRequest, "method" | "headers" | "body"> & { readonly path: string };

/**
 * One exchange with a control plane. Throws Failure: those of `request`, with the place where a wrong URL is written.
 */
export async function ask(
  target: Target,
  exchange: Exchange,
  message: Message,
  token: Credential,
  maxBytes: number = LIMITS.apiAnswerBytes,
): Promise<Heard> {
  const { path, headers, ...rest } = message;
  try {
    return await request({
      ...rest,
      url: new URL(path, target.base),
      headers: {
        accept: "application/json",
        // What a cache in between remembers is no proof (RFC 9111 §5.2.1.4).
        "cache-control": "no-cache",
        ...headers,
        authorization: `Bearer ${token.value}`,
        "user-agent": exchange.userAgent ?? `waybill/${BUILD.version}`,
      },
      deadlineMs: exchange.attemptTimeoutMs,
      maxBytes,
      ...exchange.connection(target.base),
      stop: exchange.stop,
    });
  } catch (error) {
    throw error instanceof Failure ? blamed(error, target) : error;
  }
}

export function pinPath({ template, region }: WantedPin): string {
  return `/v1/pins/${encodeURIComponent(template)}/${encodeURIComponent(region)}`;
}

export function reader(target: Target): Credential {
  return target.readToken ?? target.token;
}

/** A URL that leads nowhere, with the place where it is written. */
function blamed(failure: Failure, { from }: Target): Failure {
  if (failure.code !== "name_not_resolved" && failure.code !== "wrong_base_url") return failure;
  return new Failure(failure.code, `${failure.message}; the URL is from ${from}`, failure);
}

/** A refused credential, with the name of the variable or file that it came from. */
export function named(failure: Failure, token: Credential): Failure {
  if (!["unauthorized", "forbidden", "edge_blocked"].includes(failure.code)) return failure;
  return new Failure(failure.code, `${failure.message} with the token from ${token.name}`, failure);
}

export function foreseen(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}
