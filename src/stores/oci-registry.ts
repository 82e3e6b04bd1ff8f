import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { isLoopback } from "../host/endpoint.ts";
import { shownUrl, type HttpAnswer, type HttpHead, type HttpRequest } from "../host/http.ts";
import { asStranger, openHttpObject } from "./http-object.ts";
import { failureOfStatus, StatusFailure } from "./http-status.ts";
import { MANIFEST_BYTES, MANIFEST_TYPES } from "./manifest-document.ts";
import { RegistryLogin, type RegistryActions } from "./registry-login.ts";
import { askRegistry, namedUrl, type Read, type RegistryAccess } from "./registry-request.ts";
import type { ObjectRead, ObjectStream } from "./store.ts";

/** Bytes of an answer to a change. */
const CHANGE_BYTES = 65_536;

/** One repository of a registry, OCI distribution API 1.1. */
export class Registry {
  readonly #base: URL;
  readonly #repository: string;
  readonly #access: RegistryAccess;
  readonly #login: RegistryLogin;
  #authorization: string | undefined;

  constructor(base: URL, repository: string, access: RegistryAccess, actions: RegistryActions = "pull") {
    this.#base = base;
    this.#repository = repository;
    this.#access = access;
    this.#login = new RegistryLogin(base, repository, access, actions);
    this.#authorization = access.token === undefined ? undefined : `Bearer ${access.token}`;
  }

  /** A manifest by tag or digest, as it came. */
  async manifest(reference: string, read: Read): Promise<HttpAnswer> {
    const url = this.#url(`manifests/${reference}`);
    const ask = async (): Promise<HttpAnswer> => {
      return wanted(
        await this.#get(url, { accept: MANIFEST_TYPES, ...this.#headers() }, MANIFEST_BYTES, read),
        url,
      );
    };
    return this.#authorized(ask, read);
  }

  /** A small blob, whole, with its digest compared; registries send it themselves or name another place that does. */
  async document(digest: Sha256, maxBytes: number, read: Read): Promise<Uint8Array> {
    const url = this.#url(`blobs/sha256:${digest}`);
    const ask = async (): Promise<HttpAnswer> => {
      const answer = await this.#get(url, this.#headers(), maxBytes, read);
      const location = elsewhere(answer);
      if (location === null) return answer;
      // The digest decides what is taken, so all that is left to guard is what the request tells and whom it asks.
      return this.#get(this.#target(location, url), {}, maxBytes, read);
    };
    const answer = await this.#authorized(async () => wanted(await ask(), url), read);
    if (sha256Of(answer.body) === digest) return answer.body;
    throw new Failure("hash_mismatch", `${shownUrl(url)} gave bytes with sha256 ${sha256Of(answer.body)}`);
  }

  /** Whether there is a blob with this digest; false also when nobody can say. */
  async hasBlob(digest: Sha256, read: Read): Promise<boolean> {
    try {
      const answer = await this.#get(this.#url(`blobs/sha256:${digest}`), this.#headers(), 0, read, "HEAD");
      return answer.status === 200 || elsewhere(answer) !== null;
    } catch {
      return false;
    }
  }

  /** A blob; registries send it themselves or name another place that does. */
  async blob(digest: Sha256, read: Omit<ObjectRead, "key">): Promise<ObjectStream> {
    const url = this.#url(`blobs/sha256:${digest}`);
    const ask = async (): Promise<ObjectStream> => {
      try {
        return await openHttpObject({ url, reach: this.#access.reach, headers: this.#headers() }, read);
      } catch (error) {
        const location = error instanceof StatusFailure ? elsewhere(error) : null;
        if (location === null) throw error;
        // The digest decides what is taken, so all that is left to guard is what the request tells and whom it asks.
        return openHttpObject(
          { url: this.#target(location, url), reach: asStranger(this.#access.reach) },
          read,
        );
      }
    };
    return this.#authorized(ask, read);
  }

  /**
   * A request that changes something, by a path in the repository or at a place that the registry named for it.
   * Throws Failure for any status but `success`.
   */
  async change(
    at: string | URL,
    asked: Pick<HttpRequest, "method" | "headers" | "body"> & { readonly success: number },
    read: Read,
  ): Promise<HttpAnswer> {
    const { success, ...sent } = asked;
    const url = typeof at === "string" ? this.#url(at) : at;
    return this.#authorized(async () => {
      const headers = { ...sent.headers, ...this.#headers() };
      const answer = await askRegistry(
        { ...sent, url, headers, maxBytes: CHANGE_BYTES },
        this.#base,
        this.#access,
        read,
      );
      if (answer.status === success) return answer;
      throw failureOfStatus(
        answer.status,
        answer.headers,
        url,
        new TextDecoder().decode(answer.body.subarray(0, 512)),
      );
    }, read);
  }

  /** Where an upload goes on: at the registry itself, as our credential goes along. */
  uploadPlace({ headers }: HttpHead): URL {
    const place = URL.parse(headers.get("location") ?? "", this.#base.href);
    if (place?.origin === this.#base.origin) return place;
    throw new Failure(
      "answer_unexpected",
      `${this.#base.host} wants an upload to go elsewhere, or does not say where; the credential stays here`,
    );
  }

  async #authorized<T>(ask: () => Promise<T>, read: Read): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const refused = error instanceof StatusFailure && error.status === 401;
      if (!refused || this.#authorization !== undefined) throw error;
      this.#authorization = await this.#login.answerTo(error, read);
    }
    try {
      return await ask();
    } catch (error) {
      const denied = error instanceof StatusFailure && (error.status === 401 || error.status === 403);
      // What anybody may have was not enough: a login is what is missing.
      throw denied && !this.#login.isKnown ? this.#login.missing(this.#base.host) : error;
    }
  }

  #target(location: string, from: URL): URL {
    const resolved = URL.parse(location, from.href)?.href ?? "";
    const target = namedUrl(resolved, `the redirect of ${shownUrl(from)}`, this.#base, this.#access);
    const isAddress = /^(?:[\d.]+|\[.*\])$/u.test(target.hostname) || isLoopback(target);
    // No content network is called by its number; a metadata service is, and so is what only this host can reach.
    if (isAddress && target.hostname !== from.hostname) {
      throw new Failure("redirect_refused", `${shownUrl(from)} sends to the address ${target.hostname}`);
    }
    return target;
  }

  #headers(): Readonly<Record<string, string>> {
    return this.#authorization === undefined ? {} : { authorization: this.#authorization };
  }

  #url(rest: string): URL {
    const url = new URL(this.#base);
    url.pathname = `/v2/${this.#repository}/${rest}`;
    return url;
  }

  #get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    maxBytes: number,
    read: Read,
    method: "GET" | "HEAD" = "GET",
  ): Promise<HttpAnswer> {
    return askRegistry({ method, url, headers, maxBytes }, this.#base, this.#access, read);
  }
}

/** Where a redirect leads, or null for any other answer. */
function elsewhere(answer: HttpHead): string | null {
  return [301, 302, 303, 307, 308].includes(answer.status) ? answer.headers.get("location") : null;
}

function wanted(answer: HttpAnswer, url: URL): HttpAnswer {
  if (answer.status === 200) return answer;
  throw failureOfStatus(answer.status, answer.headers, url);
}
