import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { BUILD } from "../base/version.ts";
import { request, type Connection, type HttpRequest } from "../host/http.ts";
import { classifyWrite, type WriteAnswer } from "./classify.ts";
import { classifyAbsentListing, classifyRead } from "./classify-read.ts";
import { findRow, readListing } from "./listing.ts";
import { GLOBAL_REGION, type Force, type PinNote, type PinRow, type WantedPin } from "./pin.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Heard } from "./server-text.ts";
import { hasStrongEtag, readStanding, type Condition, type Standing } from "./standing.ts";
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

type Met = {
  readonly status: number | null;
  /** What the server asked us to wait. */
  readonly waitMs: number | null;
};

export type ReadAnswer = Met & {
  /** The server tells versions of its listing apart, and so may take conditional writes. */
  readonly isVersioned: boolean;
} & ({ readonly row: PinRow } | { readonly failure: Failure });

const LISTING = "/cp/admin/runtime-image";
const PROMOTE = "/cp/admin/runtime-image/promote";

/** Errors in which no byte of the request can have reached the server; all others leave open what became of it. */
const NOT_SENT: ReadonlyMap<Failure["code"], "try_again" | "refused"> = new Map([
  ["connection_failed", "try_again"],
  ["name_not_resolved", "try_again"],
  // As with a read: neither gets better by itself.
  ["tls_failed", "refused"],
  ["proxy_failed", "refused"],
]);

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
    heard = await ask(target, exchange, { method: "GET", path: LISTING }, reader(target));
  } catch (error) {
    return { ...met, failure: foreseen(error) };
  }
  const { status, headers, body } = heard;
  const now = { status, waitMs: retryAfterMs(headers, Date.now()), isVersioned: hasStrongEtag(headers) };
  try {
    const failure = classifyRead(heard);
    if (failure === null) return { ...now, ...read({ status, headers, body }) };
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

/** Where the pin stands on a server with conditional writes; null on one without. */
export async function readVersion(
  target: Target,
  wanted: WantedPin,
  exchange: Exchange,
): Promise<Met & ({ readonly standing: Standing | null } | { readonly failure: Failure })> {
  try {
    const heard = await ask(target, exchange, { method: "GET", path: pinPath(wanted) }, reader(target));
    const met = { status: heard.status, waitMs: retryAfterMs(heard.headers, Date.now()) };
    const standing = readStanding(heard);
    return standing instanceof Failure ? { ...met, failure: standing } : { ...met, standing };
  } catch (error) {
    return { status: null, waitMs: null, failure: foreseen(error) };
  }
}

export type PinWrite = {
  readonly wanted: WantedPin;
  readonly note: PinNote;
  readonly condition: Condition | null;
  /** Names one intended change, so that a server can tell its repetition from another one. */
  readonly idempotencyKey: string;
};

/** Sends one promotion. What goes wrong is a value, an interruption too: it leaves the outcome open. */
export async function writePin(
  target: Target,
  write: PinWrite,
  exchange: Exchange,
): Promise<WriteAnswer & Met> {
  const { wanted, condition } = write;
  const message = {
    method: condition === null ? "POST" : "PUT",
    path: condition === null ? PROMOTE : pinPath(wanted),
    headers: {
      "content-type": "application/json",
      "idempotency-key": `"${write.idempotencyKey}"`,
      ...(condition === null
        ? {}
        : "ifMatch" in condition
          ? { "if-match": condition.ifMatch }
          : { "if-none-match": condition.ifNoneMatch }),
    },
    body: JSON.stringify(writeDocument(write)),
  } as const;
  try {
    const heard = await ask(target, exchange, message, target.token);
    const met = { status: heard.status, waitMs: retryAfterMs(heard.headers, Date.now()) };
    const meaning = classifyWrite(heard, wanted);
    if (meaning.kind !== "refused") return { ...meaning, ...met };
    return { kind: "refused", failure: named(meaning.failure, target.token), ...met };
  } catch (error) {
    const failure = foreseen(error);
    return {
      kind: NOT_SENT.get(failure.code) ?? "ambiguous",
      failure,
      status: null,
      waitMs: null,
    };
  }
}

function writeDocument({ wanted, note, condition }: PinWrite): Record<string, string | number | boolean> {
  return {
    template_name: wanted.template,
    image_digest: wanted.digest,
    ...(note.gitSha === undefined ? {} : { git_sha: note.gitSha }),
    ...(note.notes === undefined ? {} : { notes: note.notes }),
    // Servers that know no regions refuse the member; "global" is what they mean anyway.
    ...(wanted.region === GLOBAL_REGION ? {} : { region: wanted.region }),
    // What only our own control plane knows goes to its own route alone.
    ...(condition === null || note.seq === undefined ? {} : { seq: note.seq }),
    ...(condition === null || note.force === undefined ? {} : forceDocument(note.force)),
  };
}

function forceDocument({ rollback, breakGlass, reason }: Force): Record<string, string | boolean> {
  return { ...(rollback ? { rollback } : {}), ...(breakGlass ? { break_glass: true } : {}), reason };
}

type Message = Pick<HttpRequest, "method" | "headers" | "body"> & { readonly path: string };

/** One exchange with a control plane. Throws Failure: those of `request`, with the place where a wrong URL is written. */
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
