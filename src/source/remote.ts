import { isDeceptive } from "../base/printable.ts";

/** A git remote as a name for a repository: `host[:port]/path`, the same for each way to reach it, and no secret. */

export type NormalisedRemote =
  | { repo: string }
  | { repo: null; reason: "local_remote" | "unsupported_remote" };

const LOCAL: NormalisedRemote = { repo: null, reason: "local_remote" };
const UNSUPPORTED: NormalisedRemote = { repo: null, reason: "unsupported_remote" };

/** The transports that git itself speaks to a host, and the port that goes without saying. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["git+http", 80],
  ["https", 443],
  ["git+https", 443],
  ["ssh", 22],
  ["git+ssh", 22],
  ["ssh+git", 22],
  ["git", 9418],
  ["ftp", 21],
  ["ftps", 990],
]);

/** characters of a URL: a repository's own configuration may be hostile, and nothing below is meant for more */
const MAX_CHARS = 4096;
const HOST = /^[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}_-]|\.(?!\.|$))*$/u;
const IPV6 = /^\[[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*\]/iu;
const HIDDEN = "***";

/**
 * The repository that a remote URL names. User names, passwords, queries and fragments never get into it; a URL in
 * which a password cannot be told from the path is refused. Local paths, which tell about a machine and not about a
 * repository, are `local_remote`; helpers (`ext::…`) and what is no address are `unsupported_remote`.
 */
export function normaliseRemote(remote: string): NormalisedRemote {
  const text = remote.trim();
  if (text === "" || text.length > MAX_CHARS || isDeceptive(text)) return UNSUPPORTED;
  if (/^[a-z0-9+.-]*::/iu.test(text)) return UNSUPPORTED;
  const url = /^([a-z][a-z0-9+.-]*):\/\/(.*)/iu.exec(text);
  if (url === null) return isLocalPath(text) ? LOCAL : fromScpForm(text);
  const [, scheme = "", address = ""] = url;
  return fromUrl(scheme.toLowerCase(), address);
}

function fromUrl(scheme: string, address: string): NormalisedRemote {
  if (scheme === "file") return LOCAL;
  const defaultPort = DEFAULT_PORTS.get(scheme);
  if (defaultPort === undefined) return UNSUPPORTED;
  const { authority, rest } = splitAuthority(address);
  if (hidesCredentials(authority, rest)) return UNSUPPORTED;
  return named(readHost(authority.slice(authority.lastIndexOf("@") + 1), defaultPort), rest);
}

/** `[user@]host:path`, where the first colon outside brackets ends the host; also `[host:port]:path`. */
function fromScpForm(text: string): NormalisedRemote {
  const found = /^((?:[^:[\]]*@)?(?:\[[^\]]*\]|[^:[\]]*)):(.*)/u.exec(text);
  if (found === null) return UNSUPPORTED;
  const [, address = "", path = ""] = found;
  // `user:password@host:path` is host `user` to git. Whoever wrote it meant a secret.
  const hasUser = address.includes("@");
  if (path.includes("@") && (!hasUser || /@.*:/u.test(path))) return UNSUPPORTED;
  const bracket = address.indexOf("[");
  const host = address.slice(bracket === -1 ? address.lastIndexOf("@") + 1 : bracket);
  const inBrackets = /^\[(?:[^\]]*@)?([^:\]]*(?::[0-9]*)?)\]/u.exec(host)?.[1];
  return named(readHost(inBrackets ?? host, 22), path);
}

/** Git's rule: a path unless a colon comes before the first slash. Drive letters and backslashes are Windows paths. */
function isLocalPath(text: string): boolean {
  return /^(?:[^/:]*(?:\/|$)|[a-z]:(?:\/|$)|file:)/iu.test(text) || text.includes("\\");
}

function splitAuthority(address: string): { authority: string; rest: string } {
  const end = address.search(/[/?#]/u);
  return end === -1
    ? { authority: address, rest: "" }
    : { authority: address.slice(0, end), rest: address.slice(end) };
}

/**
 * Whether a credential may go on behind what ends it by the rules, because it has a raw `/`, `?` or `#` in it: after
 * a password or port any `@`, else one inside a segment that is not the last. `/@scope/r` and `/r@v1` are names.
 */
function hidesCredentials(authority: string, rest: string): boolean {
  if (!rest.includes("@")) return false;
  const beforeLast = rest.slice(0, rest.lastIndexOf("/") + 1);
  return withoutIpv6(authority).includes(":") || /[^/]@/u.test(beforeLast);
}

function withoutIpv6(authority: string): string {
  return authority.replace(/\[[0-9a-f:.]*\]/iu, "");
}

/** `host[:port]` in its one form, or null. */
function readHost(text: string, defaultPort: number): string | null {
  const [, host, digits] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/u.exec(text) ?? [];
  if (host === undefined) return null;
  const bare = host.replace(/\.$/u, "");
  if (!HOST.test(bare) && !IPV6.test(host)) return null;
  const name = bare.replace(/[A-Z]/gu, (letter) => letter.toLowerCase());
  const port = digits === undefined || digits === "" ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) return null;
  return port === defaultPort ? name : `${name}:${port}`;
}

function named(host: string | null, rest: string): NormalisedRemote {
  const path = rest
    .replace(/[?#].*/u, "")
    .replace(/\/{2,}/gu, "/")
    .replace(/[\s/]+$/u, "")
    .replace(/\.git$/u, "")
    .replace(/^[\s/]+|[\s/]+$/gu, "");
  return host === null || path === "" ? UNSUPPORTED : { repo: `${host}/${path}` };
}

/**
 * Foreign text (what git prints) without the user names, passwords, queries and fragments of the URLs in it. Where it
 * is unclear what is a credential, more is hidden rather than less.
 */
export function redactRemote(text: string): string {
  // In git's quotation marks a URL goes on behind a space.
  return asWords(text.replace(/'[^'\s]*:\/\/[^'\n]*'/gu, withoutSpaces));
}

/** The same of one URL: white space in it is a part of the password or path. */
export function redactUrl(url: string): string {
  return asWords(withoutSpaces(url));
}

function withoutSpaces(url: string): string {
  return url.replace(/\s/gu, "\0");
}

function asWords(text: string): string {
  const redacted = text.replace(/\S+/gu, (word) => {
    const slashes = word.indexOf("://");
    // No scheme has a colon: in `user:a://b@host` those letters are a password's.
    const isUrl = slashes !== -1 && !(word.slice(0, slashes).includes(":") && word.includes("@", slashes));
    if (isUrl) {
      const address = redactAddress(word.slice(slashes + 3));
      return `${redactUser(word.slice(0, slashes))}://${redactQuery(address)}`;
    }
    const shown = redactUser(word);
    return shown.includes("://") || (shown.includes("/") && shown.includes("=")) ? redactQuery(shown) : shown;
  });
  return redacted.replaceAll("\0", " ");
}

/** `user:password@host:path`, and what is left of a URL whose scheme was cut off. A lone `git@host:path` stays. */
function redactUser(word: string): string {
  const colon = word.indexOf(":");
  const at = word.lastIndexOf("@");
  if (colon === -1 || at < colon) return word;
  const start = 1 + Math.max(...Array.from("'\"(<=", (mark) => word.lastIndexOf(mark, colon)));
  return `${word.slice(0, start)}${HIDDEN}${word.slice(at)}`;
}

function redactAddress(address: string): string {
  const { authority, rest } = splitAuthority(address);
  const end = (hidesCredentials(authority, rest) ? address : authority).lastIndexOf("@");
  // An `@` in a query is either the end of a password or part of a secret: nothing is safe to show.
  if (end > address.search(/[?#]|$/u)) return `${HIDDEN}${closingOf(address)}`;
  if (end !== -1) return `${HIDDEN}${address.slice(end)}`;
  // A password cut off before its `@`. What may follow a port is the punctuation of the sentence.
  const isHost = /^[^:]*(?::[0-9]*['")]*[:,.;]*)?$/u.test(withoutIpv6(authority));
  return isHost ? address : `${HIDDEN}${rest}`;
}

function redactQuery(address: string): string {
  const start = address.search(/[?#]/u);
  return start === -1 ? address : `${address.slice(0, start + 1)}${HIDDEN}${closingOf(address)}`;
}

/** The quotation mark that closes the URL in git's messages is kept. */
function closingOf(address: string): string {
  return /['"]?[:,.]?$/u.exec(address)?.[0] ?? "";
}
