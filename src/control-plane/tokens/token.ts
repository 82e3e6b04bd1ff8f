import { timingSafeEqual } from "node:crypto";
import type { Sha256 } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import type { Scope } from "./scopes.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** What the server keeps of a token: never the token. Instants are RFC 3339. */
export type TokenRecord = TokenBounds & {
  readonly id: string;
  readonly sha256: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly env: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
};

/** The public id of a token: enough to find its row, useless to guess the other 224 bits. */
export function tokenId(token: string): string {
  return idOfDigest(sha256Of(token));
}

export function idOfDigest(digest: Sha256): string {
  return digest.slice(0, 8);
}

/** How an actor is named in rows and events. */
export function actorOf(id: string): string {
  return `api-token-${id}`;
}

/** Why the token of this digest opens nothing, or null. The comparison takes the same time wherever they differ. */
export function refusalOf(presented: Sha256, record: TokenRecord | null, now: Date): string | null {
  const found = Buffer.from(presented, "latin1");
  // Compared with something also when there is no row, so that the two answers take alike.
  const wanted = Buffer.from(record?.sha256 ?? NOTHING, "latin1");
  if (!timingSafeEqual(found, wanted) || record === null) return "token unknown";
  if (record.revoked_at !== null) return "token revoked";
  if (record.expires_at !== null && now.getTime() >= Date.parse(record.expires_at)) return "token expired";
  return null;
}

const NOTHING = sha256Of("");
