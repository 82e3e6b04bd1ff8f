import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { isLoopback, parseEndpoint } from "../host/endpoint.ts";
import { keySegments } from "./key.ts";

/** A JetStream object store on one server. */
export type NatsPlace = { readonly server: URL; readonly bucket: string; readonly prefix: string };

/** `nats://host[:port]/bucket[/prefix]`. Throws Failure `url_invalid`. */
export function parseNats(text: string, from: string, allowInsecureHttp: boolean): NatsPlace {
  const found = /^nats:\/\/([^/?#]+)\/([A-Za-z0-9_-]{1,128})(\/[^?#]*)?$/iu.exec(text);
  if (found === null) {
    throw new Failure("url_invalid", `${from} is ${quoted(text)}; wanted nats://host[:port]/bucket[/prefix]`);
  }
  const authority = found[1] ?? "";
  // The rules for hosts are the same; without TLS only this machine is spoken to.
  const url = `http${isLoopbackText(authority) && allowInsecureHttp ? "" : "s"}://${authority}`;
  const server = parseEndpoint(url, { from, allowInsecureHttp, path: "none" });
  const prefix = (found[3] ?? "").replace(/^\/|\/$/gu, "");
  if (prefix !== "") keySegments(prefix);
  return { server, bucket: found[2] ?? "", prefix };
}

function isLoopbackText(authority: string): boolean {
  const url = URL.parse(`http://${authority}`);
  return url !== null && isLoopback(url);
}
