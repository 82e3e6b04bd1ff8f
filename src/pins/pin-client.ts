import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { BUILD } from "../base/version.ts";
import { request } from "../host/http.ts";
import { classifyRead, classifyWrite, type WriteAnswer } from "./classify.ts";
import { findRow } from "./listing.ts";
import { GLOBAL_REGION, type PinNote, type PinRow, type WantedPin } from "./pin.ts";
import type { Target } from "./target.ts";

/** How the control planes are talked to; the same for every target of a run. */
export type Exchange = {
  readonly attemptTimeoutMs: number;
  /** PEM certificates from --cacert. */
  readonly ca: string | undefined;
  readonly stop: AbortSignal;
};

export type ReadAnswer = { readonly status: number | null } & (
  | { readonly row: PinRow }
  | { readonly failure: Failure }
);

/** Errors in which no byte of the request can have reached the server. */
const NOT_SENT: ReadonlySet<Failure["code"]> = new Set([
  "connection_failed",
  "name_not_resolved",
  "tls_failed",
  "proxy_failed",
]);

/** Reads the listing and finds the wanted row. What goes wrong is a value, an interruption too. */
export async function readPin(target: Target, wanted: WantedPin, exchange: Exchange): Promise<ReadAnswer> {
  let status: number | null = null;
  try {
    const answer = await request({
      method: "GET",
      url: new URL("/cp/admin/runtime-image", target.base),
      headers: { accept: "application/json", ...credential(target.readToken ?? target.token) },
      deadlineMs: exchange.attemptTimeoutMs,
      maxBytes: LIMITS.apiAnswerBytes,
      ...(exchange.ca === undefined ? {} : { ca: exchange.ca }),
      stop: exchange.stop,
    });
    status = answer.status;
    const failure = classifyRead(status, answer.body);
    if (failure !== null) return { status, failure: named(failure, target.readToken ?? target.token) };
    return { status, row: findRow(answer.body, wanted, answer.headers.get("content-type")) };
  } catch (error) {
    return { status, failure: foreseen(error) };
  }
}

/** Sends one promotion. What goes wrong is a value, an interruption too: it leaves the outcome open. */
export async function writePin(
  target: Target,
  wanted: WantedPin,
  note: PinNote,
  exchange: Exchange,
): Promise<WriteAnswer & { readonly status: number | null }> {
  const document = {
    template_name: wanted.template,
    image_digest: wanted.digest,
    ...(note.gitSha === undefined ? {} : { git_sha: note.gitSha }),
    ...(note.notes === undefined ? {} : { notes: note.notes }),
    // Servers that know no regions refuse the member; "global" is what they mean anyway.
    ...(wanted.region === GLOBAL_REGION ? {} : { region: wanted.region }),
  };
  try {
    const answer = await request({
      method: "POST",
      url: new URL("/cp/admin/runtime-image/promote", target.base),
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        ...credential(target.token),
      },
      body: JSON.stringify(document),
      deadlineMs: exchange.attemptTimeoutMs,
      maxBytes: LIMITS.apiAnswerBytes,
      ...(exchange.ca === undefined ? {} : { ca: exchange.ca }),
      stop: exchange.stop,
    });
    const meaning = classifyWrite(answer.status, answer.body, wanted);
    if (meaning.kind !== "refused") return { ...meaning, status: answer.status };
    return { kind: "refused", failure: named(meaning.failure, target.token), status: answer.status };
  } catch (error) {
    const failure = foreseen(error);
    return { kind: NOT_SENT.has(failure.code) ? "try_again" : "ambiguous", failure, status: null };
  }
}

function credential(token: { readonly value: string }): Record<string, string> {
  return { authorization: `Bearer ${token.value}`, "user-agent": `waybill/${BUILD.version}` };
}

/** A refused credential, with the name of the variable or file that it came from. */
function named(failure: Failure, token: { readonly name: string }): Failure {
  if (failure.code !== "unauthorized" && failure.code !== "forbidden") return failure;
  return new Failure(failure.code, `${failure.message} with the token from ${token.name}`, failure);
}

function foreseen(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}
