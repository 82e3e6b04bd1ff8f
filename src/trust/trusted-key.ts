import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { isTold } from "../base/instant.ts";
import { quoted } from "../base/printable.ts";
import { globMatches } from "./policy-glob.ts";
import type { PublicKey } from "./public-key.ts";
import { matchesSshPattern } from "./ssh-pattern.ts";

/** A key, and what somebody trusts it with. */
export type TrustedKey = {
  readonly name: string;
  readonly key: PublicKey;
  /** What it may sign; null is everything, as in a file of allowed signers. */
  readonly roles: readonly string[] | null;
  /** Patterns of names (artifacts, templates, add-ons) that it may sign for; `*` stops at a slash, `**` does not. */
  readonly scopes: readonly string[];
  /** The OpenSSH namespaces that it may sign in; null is any. */
  readonly namespaces: readonly string[] | null;
  /** Both ends belong to the window; null is open. */
  readonly validFrom: Date | null;
  readonly validUntil: Date | null;
  readonly revocation: Revocation | null;
};

export type Revocation = {
  readonly at: Date;
  readonly reason: string | null;
  /** What the key had signed before somebody else had it. */
  readonly stillTrusted: readonly Sha256[];
};

/** A scope that is everything. */
export const EVERYTHING = "**";

export function isScope(text: string): boolean {
  return /^[!-~]{1,200}$/u.test(text);
}

/** Whether a key counts at all now, whatever it is trusted with. */
export function stateOf(key: TrustedKey, now: Date): "revoked" | "expired" | "not_yet_valid" | "valid" {
  if (key.revocation !== null) return "revoked";
  if (key.validFrom !== null && now < key.validFrom) return "not_yet_valid";
  return key.validUntil !== null && now > key.validUntil ? "expired" : "valid";
}

/** What was signed: a name that scopes are about, and its digest where it is known. */
export type Subject = { readonly name: string; readonly sha256: Sha256 | null };

/**
 * Why this key must not be believed in this role about this subject now, or null. Without a subject scopes do not
 * matter. A revoked key is refused whatever the time: whoever has it can date a signature as they like. Where `now` is
 * only the latest that it may be, `earliest` is what has come for sure.
 */
export function distrust(
  trusted: TrustedKey,
  role: string,
  subject: Subject | null,
  now: Date,
  earliest: Date = now,
): Failure | null {
  const key = `key ${quoted(trusted.name)}`;
  const { roles, scopes, validFrom, validUntil, revocation } = trusted;
  if (revocation !== null && !stillTrusts(revocation, subject))
    return new Failure("key_revoked", `${key} was revoked at ${instant(revocation.at)}`, {
      hint: "get a signature by another key; what it signed before can be listed as still trusted in the trust root",
    });
  if (roles !== null && !roles.includes(role))
    return new Failure(
      "key_not_authorised",
      `${key} is not trusted as ${quoted(role)}, only as ${roles.join(", ")}`,
      {
        hint: "a signature counts only in the roles that the trust root gives its key",
      },
    );
  if (subject !== null && !scopes.some((scope) => globMatches(scope, subject.name)))
    return new Failure(
      "key_not_authorised",
      `${key} is not trusted for ${quoted(subject.name)}, only for ${scopes.map((scope) => quoted(scope)).join(", ")}`,
      { hint: "name what the file really is, or widen the key's scopes in the trust root" },
    );
  if (validFrom !== null && earliest < validFrom)
    return new Failure(
      "key_not_yet_valid",
      `${key} is valid from ${instant(validFrom)}; it is ${instant(earliest)}`,
      {
        hint: "check this machine's clock",
      },
    );
  if (validUntil !== null && now > validUntil)
    return new Failure(
      "key_expired",
      isTold(now)
        ? `${key} was valid until ${instant(validUntil)}; it is ${instant(now)}`
        : `${key} is valid until ${instant(validUntil)}, and whether that is over cannot be told`,
      {
        hint: "get a signature by a current key, or check this machine's clock",
      },
    );
  return null;
}

/**
 * The refusal for an OpenSSH namespace that the key may not sign in, or null. Null is a signature in another format,
 * which has none: a key that is trusted with commits alone must not sign anything else by it.
 */
export function distrustNamespace(
  { name, namespaces }: TrustedKey,
  namespace: string | null,
): Failure | null {
  if (namespaces === null) return null;
  if (namespace !== null && namespaces.some((pattern) => matchesSshPattern(pattern, namespace))) return null;
  const where = namespace === null ? "outside of OpenSSH signatures" : `in namespace ${quoted(namespace)}`;
  const only = `only in namespace ${namespaces.join(", ")}`;
  return new Failure("key_not_authorised", `key ${quoted(name)} is not trusted ${where}, ${only}`);
}

function stillTrusts(revocation: Revocation, subject: Subject | null): boolean {
  return revocation.stillTrusted.some((sha256) => sha256 === subject?.sha256);
}

function instant(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
