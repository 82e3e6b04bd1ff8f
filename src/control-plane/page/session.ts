/**
 * A browser's session is the token itself, in a cookie that no script reads and no other site sends (SameSite=Strict):
 * revoking the token ends the session, any replica knows it, and nothing is stored. Only GET takes it, so that no form
 * of another page can change anything.
 */
const HOURS = 8;

/** The value of the session cookie in a Cookie header (RFC 6265 §4.2.1), or null. */
export function sessionToken(header: string | null, secure: boolean): string | null {
  const name = cookieName(secure);
  for (const pair of (header ?? "").split(";")) {
    const [key, value, ...more] = pair.trim().split("=");
    if (key === name && value !== undefined && more.length === 0) return value;
  }
  return null;
}

export function startSession(token: string, secure: boolean): string {
  return `${cookieName(secure)}=${token}; Path=/; Max-Age=${HOURS * 3600}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}

export function endSession(secure: boolean): string {
  return `${cookieName(secure)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}

/** With TLS the prefix keeps a plain-http neighbour from planting a cookie of this name (RFC 6265bis §4.1.3.2). */
function cookieName(secure: boolean): string {
  return secure ? "__Host-waybill" : "waybill";
}
