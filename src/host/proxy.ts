import { withoutEscapes } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { isLoopback } from "./endpoint.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that a URL is asked through. */
export type Proxy = {
  /** With its credential: for the runtime alone. */
  readonly url: string;
  /** `host:port`. */
  readonly shown: string;
  /** `--proxy` or `$HTTPS_PROXY`. */
  readonly from: string;
  /** What must not be shown, in each spelling that the URL has. */
  readonly secrets: readonly string[];
};

/**
 * The proxy for a URL, decided here and not by the runtime, so that what is reported is what happens: `chosen` of
 * --proxy (a URL, or `none`), else the variables HTTPS_PROXY and ALL_PROXY unless NO_PROXY names the host. A loopback
 * address is never asked through one: the proxy would get what was meant for this machine. Throws Failure
 * `input_invalid` for a proxy that cannot be used; what cannot be read is not shown.
 */
export function proxyFor(url: URL, chosen: string | undefined, env: Environment): Proxy | null {
  if (chosen === "none") return null;
  const proxy = chosen === undefined ? fromEnvironment(url, env) : readProxy(chosen, "--proxy");
  return isLoopback(url) ? null : proxy;
}

function fromEnvironment(url: URL, env: Environment): Proxy | null {
  const scheme = url.protocol === "http:" ? "http_proxy" : "https_proxy";
  for (const name of [scheme, scheme.toUpperCase(), "all_proxy", "ALL_PROXY"]) {
    const proxy = env[name] ?? "";
    if (proxy === "") continue;
    return isLoopback(url) || isExempt(url, env) ? null : readProxy(proxy, `$${name}`);
  }
  return null;
}

function readProxy(text: string, from: string): Proxy {
  // `proxy.example:3128` is how many write it.
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  const rest = url === null ? "" : `${url.pathname}${url.search}${url.hash}`;
  const isPlain = /^[\u0021-\u007e]+$/u.test(text) && (rest === "/" || rest === "");
  if (url === null || !isPlain || url.hostname === "") {
    throw new Failure("input_invalid", `${from} holds no URL of a proxy`, {
      hint: "wanted http://[user:password@]host:port, or none",
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new Failure("input_invalid", `${from} names a ${quoted(url.protocol.slice(0, -1), 20)} proxy`, {
      hint: "only http and https proxies are spoken to",
    });
  }
  return {
    url: url.href,
    shown: `${url.hostname}:${portOf(url)}`,
    from,
    secrets: url.password === "" ? [] : [url.password, withoutEscapes(url.password)],
  };
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "http:" ? "80" : "443") : port;
}

/** NO_PROXY as curl reads it: `*`, host names with all names below them, with or without a port, IPv4 ranges. */
function isExempt(url: URL, env: Environment): boolean {
  const list = env["no_proxy"] ?? env["NO_PROXY"] ?? "";
  const port = portOf(url);
  const host = url.hostname.replace(/^\[|\]$/gu, "").replace(/\.$/u, "");
  return list
    .toLowerCase()
    .split(/[\s,]+/u)
    .some((entry) => {
      if (entry === "*") return true;
      const [name, wantedPort] = nameAndPort(entry);
      const plain = entry.includes("/") ? entry : name.replace(/^\*?\./u, "").replace(/\.$/u, "");
      if (plain === "" || (wantedPort !== undefined && wantedPort !== port)) return false;
      // Only names have names below them: 2.5 is no part of 192.0.2.5.
      return host === plain || (ipv4(host) === null ? host.endsWith(`.${plain}`) : isInRange(host, plain));
    });
}

/** Of `name`, `name:port` and `[address]:port`; without brackets an IPv6 address has no port. */
function nameAndPort(entry: string): [name: string, port: string | undefined] {
  const found = /^\[([^\]]*)\](?::(\d+))?$/u.exec(entry) ?? /^([^:]*)(?::(\d+))?$/u.exec(entry);
  return found === null ? [entry, undefined] : [found[1] ?? "", found[2]];
}

/** Whether an IPv4 address is in `10.0.0.0/8`. */
function isInRange(host: string, range: string): boolean {
  const [base = "", bits = ""] = range.split("/");
  const [address, first] = [ipv4(host), ipv4(base)];
  if (address === null || first === null || !/^\d{1,2}$/u.test(bits) || Number(bits) > 32) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(address / size) === Math.floor(first / size);
}

function ipv4(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
