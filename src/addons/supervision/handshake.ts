/** Where a plugin says that it listens. */
export type Listening =
  | { readonly host: "127.0.0.1" | "::1"; readonly port: number }
  | { readonly path: string };

/**
 * The line that a go-plugin program prints first: `CORE|APP|NETWORK|ADDRESS|PROTOCOL[|CERTIFICATE]`. null when it is
 * none, or names another machine.
 */
export function readHandshake(line: string): Listening | null {
  const parts = line.trim().split("|");
  const [core = "", app = "", network = "", address = "", protocol = ""] = parts;
  if (parts.length > 7 || !/^\d{1,4}$/u.test(core) || !/^\d{1,4}$/u.test(app)) return null;
  if (protocol !== "" && protocol !== "grpc" && protocol !== "netrpc") return null;
  if (network === "unix") return address.startsWith("/") && address.length < 108 ? { path: address } : null;
  const [, name, digits] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/u.exec(address) ?? [];
  const port = Number(digits);
  if (network !== "tcp" || !(port > 0 && port < 65_536)) return null;
  return { host: name === "[::1]" ? "::1" : "127.0.0.1", port };
}
