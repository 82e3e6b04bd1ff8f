import { isIP } from "node:net";
import { resolve } from "node:path";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";

export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The kernel's `sun_path` has 108 bytes, the last of them NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/u;

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. Port 0 is any free one. Throws Failure `invalid_value`. */
export function readListenAddress(text: string, cwd: string): ListenAddress {
  if (text.startsWith("unix:")) {
    const path = resolve(cwd, text.slice("unix:".length));
    if (text === "unix:" || Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
      const wanted = `a socket path of 1 to ${MAX_SOCKET_PATH_BYTES} bytes after unix:`;
      throw refused(text, wanted, "name a shorter one, as unix:/run/waybill.sock");
    }
    return { kind: "unix", path };
  }
  const found = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/u.exec(text);
  const [, inBrackets, bare = "", digits = ""] = found ?? [];
  const valid = inBrackets === undefined ? HOST_NAME.test(bare) : isIP(inBrackets) === 6;
  if (found === null || !valid || Number(digits) > 65_535) {
    const hint = "all interfaces are 0.0.0.0:PORT or [::]:PORT, and want --tls-cert and --tls-key";
    throw refused(text, "HOST:PORT, [IPV6]:PORT or unix:PATH", hint);
  }
  return { kind: "tcp", host: inBrackets ?? bare, port: Number(digits) };
}

function refused(text: string, wanted: string, hint: string): Failure {
  return new Failure("invalid_value", `--listen is ${quoted(text)}; wanted ${wanted}`, { hint });
}

/** Whether only this machine can connect: then a token may travel without TLS. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  const { host } = address;
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** How a client names it: `http://127.0.0.1:7070`, `unix:/run/waybill.sock`. */
export function shownAddress(address: ListenAddress, port: number, tls: boolean): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${tls ? "https" : "http"}://${host}:${port}`;
}
