const TOKEN = /^wb_[A-Za-z0-9_-]{43}$/u;
export const TOKEN_BYTES = 32;

/** `wb_` (so that secret scanners know it) and 43 base64url characters. */
export function tokenText(random: Uint8Array): string {
  return `wb_${Buffer.from(random).toString("base64url")}`;
}

export function isTokenText(text: string): boolean {
  return TOKEN.test(text);
}
