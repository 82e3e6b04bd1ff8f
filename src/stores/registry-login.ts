import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { shownUrl, type HttpAnswer } from "../host/http.ts";
import type { Login } from "./docker-config.ts";
import { failureOfStatus, type StatusFailure } from "./http-status.ts";
import { parseChallenge } from "./oci-challenge.ts";
import { askRegistry, namedUrl, type Read, type RegistryAccess } from "./registry-request.ts";

/** What may be done with a token, in the words of token servers. */
export type RegistryActions = "pull" | "pull,push";

/** How one repository of a registry lets us in. */
export class RegistryLogin {
  readonly #base: URL;
  readonly #repository: string;
  readonly #access: RegistryAccess;
  readonly #actions: RegistryActions;

  constructor(base: URL, repository: string, access: RegistryAccess, actions: RegistryActions) {
    this.#base = base;
    this.#repository = repository;
    this.#access = access;
    this.#actions = actions;
  }

  get isKnown(): boolean {
    const { logins, token } = this.#access;
    const { host } = this.#base;
    return token !== undefined || logins.for(host) !== null || logins.identityTokenFor(host) !== null;
  }

  /** The Authorization header that meets a challenge. */
  async answerTo(refusal: StatusFailure, read: Read): Promise<string> {
    const challenge = parseChallenge(refusal.headers.get("www-authenticate"));
    const { logins } = this.#access;
    if (challenge === null) throw refusal;
    const login = logins.for(this.#base.host);
    if (challenge.scheme === "basic") {
      if (login === null) throw this.missing(this.#base.host);
      return this.#basic(login);
    }
    const realm = namedUrl(
      challenge.realm,
      `the token server of ${this.#base.host}`,
      this.#base,
      this.#access,
    );
    const identity = logins.identityTokenFor(this.#base.host);
    // Our own: the registry's may ask for more than is needed here.
    const asked: Record<string, string> = { scope: `repository:${this.#repository}:${this.#actions}` };
    if (challenge.service !== null) asked["service"] = challenge.service;
    let answer: HttpAnswer;
    if (identity === null) {
      for (const [name, value] of Object.entries(asked)) realm.searchParams.set(name, value);
      // A token server has its own login, or the one of the registry that named it over a connection we trust.
      const own = logins.for(realm.host) ?? login;
      const headers = own === null ? {} : { authorization: this.#basic(own) };
      answer = await this.#ask(
        { method: "GET", url: realm, headers: { accept: "application/json", ...headers } },
        read,
      );
    } else {
      this.#access.keepSecret(identity);
      const form = { ...asked, grant_type: "refresh_token", refresh_token: identity, client_id: "waybill" };
      const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
      const body = new URLSearchParams(form).toString();
      answer = await this.#ask({ method: "POST", url: realm, headers, body }, read);
    }
    if (answer.status === 401 || answer.status === 403) throw this.missing(realm.host);
    if (answer.status !== 200) throw failureOfStatus(answer.status, answer.headers, realm);
    return `Bearer ${this.#tokenIn(answer.body, realm)}`;
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

  /** The failure of a host that wants a login which we do not have. */
  missing(host: string): Failure {
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

  #ask(
    asked: {
      readonly method: "GET" | "POST";
      readonly url: URL;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    },
    read: Read,
  ): Promise<HttpAnswer> {
    return askRegistry({ ...asked, maxBytes: LIMITS.apiAnswerBytes }, this.#base, this.#access, read);
  }
}
