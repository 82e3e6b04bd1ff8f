import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { open, shownUrl, type ClientIdentity, type Connection } from "../host/http.ts";
import { announcedLength, continues, validatorOf } from "./byte-range.ts";
import { failureOfStatus } from "./http-status.ts";
import type { ObjectRead, ObjectStream } from "./store.ts";

/** How the servers of stores are reached, and how they and this side know each other. */
export type Reach = {
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
  /** The proxy for a URL; without it the variables of the environment decide. */
  readonly proxyFor?: ((url: URL) => Connection["proxy"]) | undefined;
};

/** The same for a server that nobody named as a store: it is not shown who asks. */
export function asStranger({ ca, proxyFor }: Reach): Reach {
  return { ca, proxyFor };
}

/** What one request needs of it. */
export function connectionFor({ ca, identity, proxyFor }: Reach, url: URL): Connection {
  const proxy = proxyFor?.(url);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { identity }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

export type HttpObject = {
  readonly url: URL;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly reach?: Reach;
  /** What a refusal stands for in this kind of store; the status alone without it. */
  readonly refusal?: (status: number, headers: Headers, body: AsyncIterable<Uint8Array>) => Promise<Failure>;
};

/**
 * One object over HTTP. Only a whole answer (200) is the object, or with `resume` the rest of it (206 with exactly
 * the bytes that were asked for). The bytes are those on the wire.
 */
export async function openHttpObject(
  object: HttpObject,
  read: Omit<ObjectRead, "key">,
): Promise<ObjectStream> {
  const { url, reach } = object;
  const { resume } = read;
  const givenUp = new AbortController();
  const answer = await open({
    method: object.method ?? "GET",
    url,
    headers: {
      accept: "application/octet-stream, */*",
      ...object.headers,
      ...(resume === undefined
        ? {}
        : { range: `bytes=${resume.offset}-`, "if-range": resume.validator.text }),
    },
    deadlineMs: read.deadlineMs,
    maxBytes: read.maxBytes - (resume?.offset ?? 0),
    ...(reach === undefined ? {} : connectionFor(reach, url)),
    stop: AbortSignal.any([read.stop, givenUp.signal]),
  });
  const { status, headers, chunks } = answer;
  const isRest = status === 206 && resume !== undefined && continues(headers, resume);
  if (status === 200 || isRest) {
    const failure = unacceptable(headers, read.maxBytes - (isRest ? resume.offset : 0), url);
    if (failure === null) {
      const offset = isRest ? resume.offset : 0;
      const announced = announcedLength(headers);
      return {
        offset,
        length: announced === null ? null : offset + announced,
        validator: object.method === "POST" ? null : validatorOf(headers),
        [Symbol.asyncIterator]: () => named(chunks, url, read.maxBytes),
      };
    }
    givenUp.abort();
    throw failure;
  }
  if (resume !== undefined && (status === 206 || status === 416)) {
    // Other bytes than were asked for, or fewer than are here: the object changed, or the server cannot do this.
    givenUp.abort();
    const { resume: _, ...fromStart } = read;
    return openHttpObject(object, fromStart);
  }
  const failure =
    object.refusal === undefined
      ? failureOfStatus(status, headers, url)
      : await object.refusal(status, headers, chunks);
  // The body of a refusal may be endless.
  givenUp.abort();
  throw failure;
}

function unacceptable(headers: Headers, maxBytes: number, url: URL): Failure | null {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && !/^\s*(?:identity\s*)?$/iu.test(encoding)) {
    return new Failure(
      "answer_unexpected",
      `${shownUrl(url)} answered with content-encoding ${quoted(encoding, 40)}, which was not asked for`,
      { hint: "serve the artifact as it was published: switch compression off, and its type by name ending" },
    );
  }
  const length = announcedLength(headers);
  return length !== null && length > maxBytes ? tooLarge(url, `announces ${length}`, maxBytes) : null;
}

async function* named(
  chunks: AsyncIterable<Uint8Array>,
  url: URL,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "answer_too_large") throw error;
    throw tooLarge(url, "sent more", maxBytes);
  }
}

function tooLarge(url: URL, found: string, maxBytes: number): Failure {
  return new Failure(
    "artifact_too_large",
    `${quoted(shownUrl(url))} ${found} bytes; at most ${maxBytes} are taken, the ceiling of one artifact`,
  );
}
