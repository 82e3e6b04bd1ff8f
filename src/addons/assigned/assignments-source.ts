import { resolve } from "node:path";
import { EXIT } from "../../base/exit-codes.ts";
import { asFailure, Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { parseEndpoint } from "../../host/endpoint.ts";
import { readBounded } from "../../host/files.ts";
import { readStandardInput } from "../../host/standard-input.ts";
import { request, shownUrl } from "../../host/http.ts";
import { asStranger, connectionFor, type Reach } from "../../stores/http-object.ts";
import { failureOfStatus } from "../../stores/http-status.ts";
import { decodeAssignments, type AssignmentList } from "./assignment.ts";
import type { Layout } from "../on-host/layout.ts";
import { shownPlatform, type Platform } from "./platform.ts";
import { readRemembered, remember, tagOf } from "./remembered-list.ts";
import type { Warning } from "../warning.ts";

/** Where the assignment list comes from. */
export type AssignmentsSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "standard_input" }
  /** A list that some other file carries, of some add-ons of a host and not of all. */
  | { readonly kind: "document"; readonly bytes: Uint8Array; readonly what: string }
  | {
      readonly kind: "url";
      readonly url: URL;
      readonly token: string | undefined;
      readonly reach: Reach;
    };

type SourceOptions = {
  readonly token: string | undefined;
  readonly allowInsecureHttp: boolean;
  readonly reach?: Reach;
  readonly cwd: string;
};

/** Milliseconds for one answer of the control plane. */
const FETCH_MS = 30_000;

/** Reads `--assignments`: a URL, `-` for standard input, else a file. Throws Failure with a usage code. */
export function parseAssignmentsSource(text: string, options: SourceOptions): AssignmentsSource {
  const { token, allowInsecureHttp } = options;
  if (/^[a-z][a-z0-9+.-]*:\/\//iu.test(text)) {
    const url = parseEndpoint(text, {
      from: "--assignments",
      allowInsecureHttp,
      path: "allowed",
      query: "allowed",
    });
    return { kind: "url", url, token, reach: asStranger(options.reach ?? {}) };
  }
  if (token !== undefined) {
    throw new Failure("flags_contradict", "--token-env is for assignments from a URL", {
      hint: `--assignments is ${quoted(text)}, which is read without a credential`,
    });
  }
  return text === "-" ? { kind: "standard_input" } : { kind: "file", path: resolve(options.cwd, text) };
}

export type Fetched = {
  readonly list: AssignmentList;
  /** What is to be remembered of it; null when it is remembered already, or is not to be. */
  readonly news: { readonly bytes: Uint8Array; readonly etag: string | null; readonly url: URL } | null;
};

/**
 * The assignment list as its source has it now. A file that is missing or malformed throws; a server that cannot be
 * reached, or answers something else, is a Failure to be weighed against what was fetched before.
 */
export async function readAssignments(
  source: AssignmentsSource,
  platform: Platform,
  layout: Layout,
  stop: AbortSignal,
): Promise<Fetched | Failure> {
  if (source.kind === "url") return fetchAssignments(source, platform, layout, stop);
  if (source.kind === "document") {
    const { bytes, what } = source;
    return { list: decodeAssignments(bytes, { what, code: "input_invalid" }), news: null };
  }
  const what = "the assignment list";
  const bytes =
    source.kind === "standard_input"
      ? readStandardInput(LIMITS.documentBytes, what)
      : readBounded(source.path, LIMITS.documentBytes, what);
  return { list: decodeAssignments(bytes, { what, code: "input_invalid" }), news: null };
}

async function fetchAssignments(
  { url: source, token, reach }: Extract<AssignmentsSource, { kind: "url" }>,
  platform: Platform,
  layout: Layout,
  stop: AbortSignal,
): Promise<Fetched | Failure> {
  const url = new URL(source);
  if (!url.searchParams.has("platform")) url.searchParams.set("platform", shownPlatform(platform));
  const remembered = readRemembered(layout);
  const before = remembered instanceof Failure ? null : remembered;
  const etag = before === null ? null : tagOf(before, url, layout);
  try {
    const answer = await request({
      method: "GET",
      url,
      headers: {
        accept: "application/json",
        ...(etag === null ? {} : { "if-none-match": etag }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...connectionFor(reach, url),
      deadlineMs: FETCH_MS,
      maxBytes: LIMITS.documentBytes,
      stop,
    });
    // Only to a question that named what we have; its bytes are the ones that the tag was given for.
    if (answer.status === 304 && etag !== null && before !== null) return { list: before.list, news: null };
    if (answer.status !== 200) {
      return failureOfStatus(
        answer.status,
        answer.headers,
        url,
        new TextDecoder().decode(answer.body.subarray(0, 4096)),
      );
    }
    const what = `the answer of ${shownUrl(url)}`;
    const list = decodeAssignments(answer.body, { what, code: "answer_malformed" });
    return { list, news: { bytes: answer.body, etag: answer.headers.get("etag"), url } };
  } catch (error) {
    throwIfStopped(stop, "fetching the assignments");
    return asFailure(error);
  }
}

export type Known = {
  /** null when nothing is known: the host then stays as it is. */
  readonly list: AssignmentList | null;
  readonly from: "source" | "cache" | "none";
  readonly warnings: readonly Warning[];
};

/**
 * What this host knows to be assigned: the fetched list, which is remembered, or else the one remembered last. A
 * server that is merely out of reach is no failure, as a host must come up without it, unless `strict`; one that
 * refused or sent nonsense is, when nothing is remembered. Call it under the lock. Throws Failure.
 */
export function weigh(fetched: Fetched | Failure, layout: Layout, strict: boolean): Known {
  if (!(fetched instanceof Failure)) {
    const { list, news } = fetched;
    const warnings = news === null ? [] : remember(news.bytes, news.etag, news.url, layout);
    return { list, from: "source", warnings };
  }
  const remembered = readRemembered(layout);
  if (remembered !== null && !(remembered instanceof Failure)) {
    return {
      list: remembered.list,
      from: "cache",
      warnings: [
        { code: "assignments_cached", message: `the list that was fetched last is used: ${fetched.message}` },
      ],
    };
  }
  const because =
    remembered === null
      ? fetched
      : new Failure(fetched.code, `${fetched.message}; ${remembered.message}`, fetched);
  const outOfReach = fetched.exitCode === EXIT.transport || fetched.exitCode === EXIT.server;
  if (!outOfReach) throw because;
  const message = `nothing is known to be assigned: ${because.message}`;
  if (strict) throw new Failure("assignments_unavailable", message, { hint: because.hint, cause: because });
  const lost: Warning[] =
    remembered === null ? [] : [{ code: "state_unreadable", message: remembered.message }];
  return { list: null, from: "none", warnings: [{ code: "assignments_unavailable", message }, ...lost] };
}
