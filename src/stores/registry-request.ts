import { Failure } from "../base/failure.ts";
import { isLoopback, parseEndpoint } from "../host/endpoint.ts";
import { request, type HttpAnswer, type HttpRequest } from "../host/http.ts";
import type { DockerLogins } from "./docker-config.ts";
import { asStranger, connectionFor, type Reach } from "./http-object.ts";
import type { ObjectRead } from "./store.ts";

export type RegistryAccess = {
  readonly logins: DockerLogins;
  /** A bearer token of the registry itself, in place of a login. */
  readonly token: string | undefined;
  readonly reach: Reach;
  readonly allowInsecureHttp: boolean;
  /** Told of every secret before it is used. */
  readonly keepSecret: (text: string) => void;
};

/** Where a registry is: https, or http for a loopback address when that is allowed and no certificate is named. */
export function registryBase(host: string, { allowInsecureHttp, reach }: RegistryAccess): URL {
  const plain = URL.parse(`http://${host}`);
  const isPlain = plain !== null && isLoopback(plain) && allowInsecureHttp && reach.ca === undefined;
  return parseEndpoint(`http${isPlain ? "" : "s"}://${host}`, {
    from: "the registry",
    allowInsecureHttp,
    path: "none",
  });
}

export type Read = Pick<ObjectRead, "deadlineMs" | "stop">;

/** One request, of the registry itself or of a server that it named, which is not shown who asks. */
export function askRegistry(
  asked: Pick<HttpRequest, "method" | "url" | "headers" | "body" | "maxBytes">,
  base: URL,
  { reach }: RegistryAccess,
  { deadlineMs, stop }: Read,
): Promise<HttpAnswer> {
  const isOwn = asked.url.origin === base.origin;
  return request({
    ...asked,
    deadlineMs,
    stop,
    ...connectionFor(isOwn ? reach : asStranger(reach), asked.url),
  });
}

/** A URL that the registry said: what is wrong with it is not the user's mistake. */
export function namedUrl(text: string, from: string, base: URL, access: RegistryAccess): URL {
  const allowInsecureHttp = access.allowInsecureHttp && isLoopback(base);
  try {
    return parseEndpoint(text, { from, allowInsecureHttp, path: "allowed", query: "allowed" });
  } catch (error) {
    throw error instanceof Failure ? new Failure("answer_malformed", error.message, error) : error;
  }
}
