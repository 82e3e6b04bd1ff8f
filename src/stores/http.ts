import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { open, shownUrl } from "../host/http.ts";
import { keySegments } from "./key.ts";
import { failureOfStatus } from "./http-status.ts";
import type { ObjectRead, Store } from "./store.ts";

/** Artifacts below a base URL, or at a URL of their own. */
export class HttpStore implements Store {
  readonly name: string;
  readonly #base: URL;
  readonly #token: string | undefined;

  /** `token` goes to the origin of `base` and nowhere else. */
  constructor(base: URL, token: string | undefined) {
    this.#base = base;
    this.#token = token;
    this.name = shownUrl(base);
  }

  async open(read: ObjectRead): Promise<AsyncIterable<Uint8Array>> {
    const path = keySegments(read.key).map(encodeURIComponent).join("/");
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/u, "")}/${path}`;
    return this.openUrl(url, read);
  }

  /** An object at an absolute URL: of this store when the origin is the same, else without our token. */
  async openUrl(url: URL, read: Omit<ObjectRead, "key">): Promise<AsyncIterable<Uint8Array>> {
    const authorized = this.#token !== undefined && url.origin === this.#base.origin;
    return fetchObject(url, authorized ? this.#token : undefined, read);
  }
}

/** GET of one object. Only a whole answer, 200, is the object; the bytes are those on the wire. */
export async function fetchObject(
  url: URL,
  token: string | undefined,
  read: Omit<ObjectRead, "key">,
): Promise<AsyncIterable<Uint8Array>> {
  const refused = new AbortController();
  const answer = await open({
    method: "GET",
    url,
    headers: {
      accept: "application/octet-stream, */*",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    deadlineMs: read.deadlineMs,
    maxBytes: read.maxBytes,
    stop: AbortSignal.any([read.stop, refused.signal]),
  });
  if (answer.status === 200) return renamed(answer.chunks, url, read.maxBytes);
  // The body of a refusal tells us nothing that we need, and may be endless.
  refused.abort();
  throw failureOfStatus(answer.status, answer.headers, url);
}

async function* renamed(
  chunks: AsyncIterable<Uint8Array>,
  url: URL,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "answer_too_large") throw error;
    throw new Failure(
      "artifact_too_large",
      `${quoted(shownUrl(url))} sent more than ${maxBytes} bytes, the ceiling of one artifact`,
    );
  }
}
