import { isMap } from "../base/decode.ts";
import { fromBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonMap, type JsonValue } from "../base/json.ts";
import { quoted } from "../base/printable.ts";

export type Login = { readonly user: string; readonly password: string };

/** Names of one and the same registry. */
const HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "auth.docker.io"]);

/** The logins of a `config.json` that `docker login` writes, by the host that each is meant for. */
export class DockerLogins {
  readonly #logins: ReadonlyMap<string, Login>;
  readonly #helpers: ReadonlySet<string>;
  readonly #identityTokens: ReadonlyMap<string, string>;

  constructor(
    logins: ReadonlyMap<string, Login> = new Map(),
    helpers: ReadonlySet<string> = new Set(),
    identityTokens: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#logins = logins;
    this.#helpers = helpers;
    this.#identityTokens = identityTokens;
  }

  /** The login for a host and nothing else; null when there is none. */
  for(host: string): Login | null {
    return this.#logins.get(canonical(host)) ?? null;
  }

  /** The token that a login by a web page left in place of a password; null when there is none. */
  identityTokenFor(host: string): string | null {
    return this.#identityTokens.get(canonical(host)) ?? null;
  }

  /** Whether the login of a host is kept by a program that we do not run. */
  isElsewhere(host: string): boolean {
    return this.#helpers.has("*") || this.#helpers.has(canonical(host));
  }

  get passwords(): string[] {
    return [...[...this.#logins.values()].map(({ password }) => password), ...this.#identityTokens.values()];
  }
}

/** Throws Failure `config_invalid`. */
export function parseDockerConfig(bytes: Uint8Array, path: string): DockerLogins {
  const what = `the Docker configuration ${quoted(path)}`;
  const document = parseJson(bytes, { what, code: "config_invalid" });
  if (!isMap(document)) throw new Failure("config_invalid", `${what} is no object`);
  const logins = new Map<string, Login>();
  const identityTokens = new Map<string, string>();
  for (const [key, entry] of Object.entries(mapOf(document["auths"]))) {
    const identity = isMap(entry) ? entry["identitytoken"] : undefined;
    if (typeof identity === "string" && identity !== "") {
      // The auth beside it is a user name with an empty password.
      identityTokens.set(canonical(key), identity);
      continue;
    }
    const login = isMap(entry) ? loginOf(entry, key, what) : null;
    if (login !== null) logins.set(canonical(key), login);
  }
  const helpers = new Set(Object.keys(mapOf(document["credHelpers"])).map(canonical));
  if (typeof document["credsStore"] === "string" && document["credsStore"] !== "") helpers.add("*");
  return new DockerLogins(logins, helpers, identityTokens);
}

function mapOf(value: JsonValue | undefined): JsonMap {
  return isMap(value) ? value : {};
}

function loginOf(entry: JsonMap, key: string, what: string): Login | null {
  const { auth, username, password } = entry;
  if (typeof username === "string" && typeof password === "string") return { user: username, password };
  if (typeof auth !== "string" || auth === "") return null;
  const bytes = fromBase64(auth.trim());
  const text = bytes === null ? "" : new TextDecoder().decode(bytes).replace(/\0+$/u, "");
  const cut = text.indexOf(":");
  if (cut < 1)
    throw new Failure(
      "config_invalid",
      `${what} has an auth for ${quoted(key, 80)} that is no base64 of user:password`,
    );
  return { user: text.slice(0, cut), password: text.slice(cut + 1) };
}

/** The host of `https://host/v1/` and of `host`; all names of Docker's own registry are one. */
function canonical(key: string): string {
  const host = key
    .replace(/^https?:\/\//iu, "")
    .replace(/\/.*$/u, "")
    .toLowerCase();
  return HUB.has(host) ? "docker.io" : host;
}
