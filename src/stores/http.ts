import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { request, shownUrl } from "../host/http.ts";
import { connectionFor, openHttpObject, type Reach } from "./http-object.ts";
import { failureOfStatus } from "./http-status.ts";
import { keySegments } from "./key.ts";
import type { ObjectRead, ObjectStream, ObjectWrite, Store, WritableStore } from "./store.ts";

/** Bytes of a refusal that are read and shown. */
const REFUSAL_BYTES = 4_096;

/** Artifacts below a base URL, or at a URL of their own. */
export class HttpStore implements WritableStore {
  readonly name: string;
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #reach: Reach;

  /** `token` and the client certificate go to the origin of `base` and nowhere else. */
  constructor(base: URL, token: string | undefined, reach: Reach = {}) {
    this.#base = base;
    this.#token = token;
    this.#reach = reach;
    this.name = shownUrl(base);
  }

  get origin(): string {
    return this.#base.origin;
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    return this.openUrl(urlBelow(this.#base, read.key), read);
  }

  /** An object at a URL of the same origin. */
  async openUrl(url: URL, read: Omit<ObjectRead, "key">): Promise<ObjectStream> {
    if (url.origin !== this.origin)
      throw new Failure("url_invalid", `${shownUrl(url)} is not of ${this.name}`);
    return openHttpObject({ url, reach: this.#reach, headers: bearer(this.#token) }, read);
  }

  /** PUT, as WebDAV servers and most artifact repositories take files (RFC 9110 §9.3.4). */
  async write({ key, file, deadlineMs, stop }: ObjectWrite): Promise<void> {
    const url = urlBelow(this.#base, key);
    const { status, headers, body } = await request({
      method: "PUT",
      url,
      body: Bun.file(file),
      headers: { "content-type": "application/octet-stream", ...bearer(this.#token) },
      deadlineMs,
      maxBytes: LIMITS.documentBytes,
      stop,
      ...connectionFor(this.#reach, url),
    });
    if ([200, 201, 204].includes(status)) return;
    if (status === 405 || status === 501) {
      throw new Failure("request_rejected", `${shownUrl(url)} takes no files by PUT (HTTP ${status})`, {
        hint: "let it take them (in nginx: dav_methods PUT), or name a store of another kind",
      });
    }
    throw failureOfStatus(status, headers, url, new TextDecoder().decode(body.subarray(0, REFUSAL_BYTES)));
  }
}

function bearer(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The URL of a key below a base, each of its segments escaped. */
function urlBelow(base: URL, key: string): URL {
  const path = keySegments(key).map(encodeURIComponent).join("/");
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/u, "")}/${path}`;
  return url;
}

/** The header of the original's gateway. */
const GATEWAY_TOKEN = "x-serviceradar-plugin-token";

/**
 * The original's gateway: a POST without a body, its token in a header of its own; a plain GET when there is no
 * token. Nothing else than 200 is success, and a POST is never resumed: the token may be good for one answer.
 */
export class GatewayStore implements Store {
  readonly name: string;
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #reach: Reach;

  constructor(url: URL, token: string | undefined, reach: Reach) {
    if (token !== undefined && !/^[\u0021-\u007e]{1,8192}$/u.test(token)) {
      throw new Failure("input_invalid", "download_token has a character that no header can carry");
    }
    this.#url = url;
    this.#token = token;
    this.#reach = reach;
    this.name = shownUrl(url);
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    const [url, reach] = [this.#url, this.#reach];
    if (this.#token === undefined) return openHttpObject({ url, reach }, read);
    const headers = { [GATEWAY_TOKEN]: this.#token };
    const { resume: _, ...fromStart } = read;
    return openHttpObject({ url, reach, method: "POST", headers }, fromStart);
  }
}
