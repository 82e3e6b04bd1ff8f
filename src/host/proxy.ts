import { isLoopback } from "./endpoint.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names a proxy, and the proxy without its credential. */
export type Proxy = { readonly variable: string; readonly shown: string };

/**
 * The proxy that the runtime takes for a URL, for messages: the scheme's variable, then ALL_PROXY, unless NO_PROXY
 * names the host. Loopback addresses are never asked through one. Address ranges in NO_PROXY are not worked out.
 */
export function proxyFor(text: string, environment: Environment): Proxy | null {
  const url = URL.parse(text.replace(/^oci:/iu, "https:"));
  if (url === null || isLoopback(url)) return null;
  const scheme = url.protocol === "http:" ? "http_proxy" : "https_proxy";
  const names = [scheme, scheme.toUpperCase(), "all_proxy", "ALL_PROXY"];
  const variable = names.find((name) => (environment[name] ?? "") !== "");
  if (variable === undefined || isExempt(url, environment)) return null;
  const proxy = URL.parse(environment[variable] ?? "");
  return { variable, shown: proxy === null ? "that cannot be read" : `${proxy.protocol}//${proxy.host}` };
}

function isExempt(url: URL, environment: Environment): boolean {
  const list = environment["no_proxy"] ?? environment["NO_PROXY"] ?? "";
  return list.split(",").some((entry) => {
    const name = entry
      .trim()
      .toLowerCase()
      .replace(/^\*?\./u, "");
    if (name === "*") return true;
    return name !== "" && (url.host === name || url.hostname === name || url.hostname.endsWith(`.${name}`));
  });
}
