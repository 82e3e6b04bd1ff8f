import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

export type EndpointPolicy = {
  readonly from: string;
  /** http is taken for a loopback address only, and only then. */
  readonly allowInsecureHttp: boolean;
  /** Whether the URL may have a path below the origin. */
  readonly path: "none" | "allowed";
  /** Whether it may have a query. */
  readonly query?: "none" | "allowed";
  /** Whether it may be at an address of one wire or of a cloud's metadata service; absent refuses it. */
  readonly linkLocal?: "refused" | "allowed";
};

/** The characters of a plain URL. What the URL parser would repair or drop (tabs, `\`, full-width dots) is refused. */
const PLAIN = /^[!$&'()*+,\-./0-9:;=?@A-Z_a-z~%[\]]+$/u;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u;

/** Whether the host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.test(url.hostname);
}

/** The runtime looks up whatever a URL has in this place: `*` is this machine to it. */
const HOST = /^(?:[0-9a-z_][0-9a-z._-]*|\[[0-9a-f:]+\])$/u;

/** Link-local (RFC 3927, RFC 4291 §2.5.6), also as IPv4 within IPv6, and what clouds put their metadata services at. */
const NEARBY =
  /^(?:169\.254\.\d+\.\d+|\[(?:fe[89ab][0-9a-f]:|::ffff:a9fe:|64:ff9b::a9fe:)[0-9a-f:]*\]|\[fd00:ec2::254\]|\[fd20:ce::254\]|100\.100\.100\.200|168\.63\.129\.16|metadata\.goog\.?|metadata\.google\.internal\.?)$/u;

/**
 * Whether the host is only reached from the same wire, as the services are that hand out a machine's credentials. A
 * name that leads there needs no look: without a certificate for that name nothing is sent to it.
 */
function isNearby(url: URL): boolean {
  return !isLoopback(url) && NEARBY.test(url.hostname);
}

/**
 * The URL of a server that will get a credential, from a flag or a file. Parsed once, strictly: what is shown is
 * what is called. Throws Failure `url_invalid`.
 */
export function parseEndpoint(text: string, policy: EndpointPolicy): URL {
  const refuse = (found: string, hint: string): Failure =>
    new Failure("url_invalid", `${policy.from} is ${found}`, { hint });
  // First, and without the text: what stands before an @ may be a credential, also in a URL that does not parse.
  if (text.includes("@")) {
    throw refuse("a URL with a user name or password in it", "pass the credential by variable or file");
  }
  const url = PLAIN.test(text) ? URL.parse(text) : null;
  if (url === null) throw refuse(`${quoted(text)}, which is no plain URL`, "wanted https://host[:port]");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw refuse(`${quoted(text)}, neither https nor http`, "wanted https://host[:port]");
  }
  // `https://https://host` and `https://evil.example\n.host` parse, but not to what was written.
  const written = /^https?:\/\/([^/?#]+)/iu.exec(text)?.[1]?.toLowerCase();
  const canonical =
    url.port === "" ? [url.host, `${url.host}:${url.protocol === "https:" ? 443 : 80}`] : [url.host];
  if (written === undefined || !canonical.includes(written)) {
    throw refuse(
      `${quoted(text)}, whose host reads as ${quoted(url.host)}`,
      "write the host exactly as it is called",
    );
  }
  if (!HOST.test(url.hostname))
    throw refuse(`${quoted(text)}, whose host is no name and no address`, "wanted https://host[:port]");
  if (url.hash !== "" || text.includes("#"))
    throw refuse(`${quoted(text)}, which has a fragment`, "leave out the #…");
  if (text.includes("?") && policy.query !== "allowed")
    throw refuse(`${quoted(text)}, which has a query`, "leave out the ?…");
  if (policy.path === "none" && url.pathname !== "/") {
    throw refuse(`${quoted(text)}, which has a path`, `wanted the origin alone: ${url.origin}`);
  }
  if (policy.linkLocal !== "allowed" && isNearby(url)) {
    throw refuse(
      `${quoted(text)}, a link-local address or a metadata service`,
      "no credential is sent there; a control plane that is there needs allow_link_local in the configuration",
    );
  }
  if (url.protocol === "http:" && !(policy.allowInsecureHttp && isLoopback(url))) {
    throw refuse(
      `${quoted(text)}: http would show the credential to the network`,
      isLoopback(url) ? "pass --allow-insecure-http for this loopback address" : "use https",
    );
  }
  return url;
}
