import { sessionToken } from "../page/session.ts";
import { sha256Of } from "../../base/hashing.ts";
import { idOfDigest, refusalOf, type TokenRecord } from "./token.ts";
import { isTokenText } from "./token-text.ts";
import { findToken } from "./tokens.ts";
import type { Deps } from "../router.ts";

export type Authenticated =
  | { readonly ok: true; readonly token: TokenRecord }
  | { readonly ok: false; readonly reason: string };

/**
 * Who asks, as it is behind the change with the number `revision`. `x-api-key` counts only where a route has always
 * taken it, and the session of a browser only where nothing is changed.
 */
export async function authenticate(
  request: Request,
  takesApiKey: boolean,
  revision: number,
  { tokens, database, now }: Pick<Deps, "tokens" | "database" | "now">,
): Promise<Authenticated> {
  const presented = credentialOf(request, takesApiKey);
  if (!presented.ok) return presented;
  const digest = sha256Of(presented.token);
  const id = idOfDigest(digest);
  const known = tokens.known(revision, id);
  const record = known === undefined ? await tokens.at(revision, id, () => findToken(database, id)) : known;
  const reason = refusalOf(digest, record, now());
  return reason !== null || record === null
    ? { ok: false, reason: reason ?? "token unknown" }
    : { ok: true, token: record };
}

type Presented =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reason: string };

function credentialOf(request: Request, takesApiKey: boolean): Presented {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const apiKey = takesApiKey ? headers.get("x-api-key") : null;
  if (authorization === null && apiKey === null) {
    const session =
      request.method === "GET" || request.method === "HEAD"
        ? sessionToken(headers.get("cookie"), request.url.startsWith("https:"))
        : null;
    return session === null || !isTokenText(session)
      ? { ok: false, reason: "token missing" }
      : { ok: true, token: session };
  }
  // The scheme is case-insensitive (RFC 9110 §11.1); two headers arrive joined by a comma and match nothing.
  const bearer = authorization === null ? null : (/^bearer +(\S+)$/iu.exec(authorization)?.[1] ?? "");
  // Taking either one of two different credentials would let a proxy and us see two different callers.
  if (bearer !== null && apiKey !== null && bearer !== apiKey) {
    return { ok: false, reason: "two different tokens" };
  }
  const token = bearer ?? apiKey ?? "";
  return isTokenText(token) ? { ok: true, token } : { ok: false, reason: "token malformed" };
}
