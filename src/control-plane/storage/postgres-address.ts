import { withoutEscapes } from "../../base/encoding.ts";
import { Failure } from "../../base/failure.ts";

/** Where a PostgreSQL database is. `url` may hold a password and is never shown; `shown` has none. */
export type PostgresAddress = { readonly url: string; readonly shown: string };

const MODES: readonly string[] = ["disable", "prefer", "require", "verify-ca", "verify-full"];
const WANTED = "postgres://USER@HOST/DATABASE, with ?host=/FOLDER for a unix socket";

/**
 * Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?host=/FOLDER][&sslmode=MODE]`. A server on another machine
 * gets TLS that is verified, unless the address says otherwise. Throws Failure `invalid_value` without the text.
 */
export function readPostgresAddress(text: string, from: string): PostgresAddress {
  const url = URL.parse(text);
  if (url === null || !/^postgres(?:ql)?:$/u.test(url.protocol) || url.hash !== "") throw refused(from);
  const { username, hostname, searchParams } = url;
  const database = url.pathname.slice(1);
  if (username === "" || database === "" || database.includes("/")) throw refused(from);
  for (const name of searchParams.keys()) {
    if (name !== "host" && name !== "sslmode") throw refused(from, `takes no parameter but host and sslmode`);
  }
  const socket = searchParams.get("host");
  if (socket !== null && !socket.startsWith("/")) throw refused(from, "host must be a folder with a socket");
  const mode = searchParams.get("sslmode");
  if (mode !== null && !MODES.includes(mode))
    throw refused(from, `sslmode must be one of ${MODES.join(", ")}`);
  if (socket === null && hostname === "") throw refused(from);
  if (mode === null && socket === null && !isLoopback(hostname)) searchParams.set("sslmode", "verify-full");
  const where = socket ?? url.host;
  return { url: url.href, shown: `postgres ${withoutEscapes(database)} on ${where}` };
}

/** Whether the address holds a secret: then it does not belong into the arguments of a process. */
export function holdsPassword(text: string): boolean {
  return (URL.parse(text)?.password ?? "") !== "";
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/u.test(hostname);
}

function refused(from: string, what = `is no address of a database; wanted ${WANTED}`): Failure {
  return new Failure("invalid_value", `${from}: the address ${what}`, {
    hint: "the address is not shown because it may hold a password",
  });
}
