import { isMap } from "../base/decode.ts";
import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { isLoopback, parseEndpoint } from "../host/endpoint.ts";
import { request, shownUrl, type HttpAnswer, type HttpHead } from "../host/http.ts";
import type { DockerLogins, Login } from "./docker-config.ts";
import { asStranger, connectionFor, openHttpObject, type Reach } from "./http-object.ts";
import { failureOfStatus, StatusFailure } from "./http-status.ts";
import { parseChallenge } from "./oci-challenge.ts";
import { MANIFEST_BYTES, MANIFEST_TYPES } from "./image-manifest.ts";
import type { ObjectRead, ObjectStream } from "./store.ts";

export type RegistryAccess = {
  readonly logins: DockerLogins;
  /** A bearer token of the registry itself, in place of a login. */
  readonly token: string | undefined;
  readonly reach: Reach;
  readonly allowInsecureHttp: boolean;
  /** Told of every secret before it is used. */
  readonly keepSecret: (text: string) => void;
};

export type Read = Pick<ObjectRead, "deadlineMs" | "stop">;

/** One repository of a registry, OCI distribution API 1.1. */
export class Registry {
  readonly #base: URL;
  readonly #repository: string;
  readonly #access: RegistryAccess;
  #authorization: string | undefined;

  constructor(base: URL, repository: string, access: RegistryAccess) {
    this.#base = base;
    this.#repository = repository;
    this.#access = access;
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

  async #authorized<T>(ask: () => Promise<T>, read: Read): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const refused = error instanceof StatusFailure && error.status === 401;
      if (!refused || this.#authorization !== undefined) throw error;
      this.#authorization = await this.#answerTo(error, read);
    }
    try {
      return await ask();
    } catch (error) {
      const denied = error instanceof StatusFailure && (error.status === 401 || error.status === 403);
      // What anybody may have was not enough: a login is what is missing.
      throw denied && !this.#hasLogin ? this.#noLogin(this.#base.host) : error;
    }
  }

  get #hasLogin(): boolean {
    const { logins, token } = this.#access;
    const { host } = this.#base;
    return token !== undefined || logins.for(host) !== null || logins.identityTokenFor(host) !== null;
  }

  /** The Authorization header that meets a challenge. */
  async #answerTo(refusal: StatusFailure, read: Read): Promise<string> {
    const challenge = parseChallenge(refusal.headers.get("www-authenticate"));
    const { logins } = this.#access;
    if (challenge === null) throw refusal;
    const login = logins.for(this.#base.host);
    if (challenge.scheme === "basic") {
      if (login === null) throw this.#noLogin(this.#base.host);
      return this.#basic(login);
    }
    const realm = this.#named(challenge.realm, `the token server of ${this.#base.host}`);
    const identity = logins.identityTokenFor(this.#base.host);
    // Our own: the registry's may ask for more than this read needs.
    const asked: Record<string, string> = { scope: `repository:${this.#repository}:pull` };
    if (challenge.service !== null) asked["service"] = challenge.service;
    let answer: HttpAnswer;
    if (identity === null) {
      for (const [name, value] of Object.entries(asked)) realm.searchParams.set(name, value);
      // A token server has its own login, or the one of the registry that named it over a connection we trust.
      const own = logins.for(realm.host) ?? login;
      const headers = own === null ? {} : { authorization: this.#basic(own) };
      answer = await this.#get(
        realm,
        { accept: "application/json", ...headers },
        LIMITS.apiAnswerBytes,
        read,
      );
    } else {
      this.#access.keepSecret(identity);
      const form = { ...asked, grant_type: "refresh_token", refresh_token: identity, client_id: "waybill" };
      const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
      const body = new URLSearchParams(form).toString();
      answer = await this.#get(realm, headers, LIMITS.apiAnswerBytes, read, "POST", body);
    }
    if (answer.status === 401 || answer.status === 403) throw this.#noLogin(realm.host);
    return `Bearer ${this.#tokenIn(wanted(answer, realm).body, realm)}`;
  }

  #tokenIn(body: Uint8Array, realm: URL): string {
    const document = parseJson(body, { what: `the token of ${shownUrl(realm)}`, code: "answer_malformed" });
    const found = isMap(document) ? (document["token"] ?? document["access_token"]) : undefined;
    if (typeof found !== "string" || !/^[\u0021-\u007e]{1,65536}$/u.test(found)) {
      throw new Failure("answer_malformed", `${shownUrl(realm)} answered without a token`);
    }
    this.#access.keepSecret(found);
    return found;
  }

  #noLogin(host: string): Failure {
    const { logins } = this.#access;
    return new Failure("unauthorized", `${host} wants a login for ${quoted(this.#repository)}`, {
      hint: logins.isElsewhere(host)
        ? "its login is kept by a credential helper, which waybill does not run; write it to a file for --docker-config"
        : `name a Docker config.json with a login for ${host} by --docker-config or DOCKER_CONFIG`,
    });
  }

  #basic({ user, password }: Login): string {
    this.#access.keepSecret(password);
    return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
  }

  #target(location: string, from: URL): URL {
    const resolved = URL.parse(location, from.href)?.href ?? "";
    const target = this.#named(resolved, `the redirect of ${shownUrl(from)}`);
    const isAddress = /^(?:[\d.]+|\[.*\])$/u.test(target.hostname) || isLoopback(target);
    // No content network is called by its number; a metadata service is, and so is what only this host can reach.
    if (isAddress && target.hostname !== from.hostname) {
      throw new Failure("redirect_refused", `${shownUrl(from)} sends to the address ${target.hostname}`);
    }
    return target;
  }

  /** A URL that the registry said: what is wrong with it is not the user's mistake. */
  #named(text: string, from: string): URL {
    const allowInsecureHttp = this.#access.allowInsecureHttp && isLoopback(this.#base);
    try {
      return parseEndpoint(text, { from, allowInsecureHttp, path: "allowed", query: "allowed" });
    } catch (error) {
      throw error instanceof Failure ? new Failure("answer_malformed", error.message, error) : error;
    }
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
    method: "GET" | "HEAD" | "POST" = "GET",
    body?: string,
  ): Promise<HttpAnswer> {
    const { reach } = this.#access;
    const isOwn = url.origin === this.#base.origin;
    return request({
      method,
      url,
      headers,
      ...(body === undefined ? {} : { body }),
      maxBytes,
      deadlineMs: read.deadlineMs,
      stop: read.stop,
      ...connectionFor(isOwn ? reach : asStranger(reach), url),
    });
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
