import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { PublicKey } from "./public-key.ts";
import { thresholdFor, type TrustRoot } from "./trust-root.ts";
import { distrust, type Subject, type TrustedKey } from "./trusted-key.ts";
import type { TrustedSigners } from "./trusted-signers.ts";

/** Whose signatures on a statement about a subject count in a role now, how many must, and why others do not. */
export function signersIn(
  root: TrustRoot,
  role: string,
  subject: Subject | null,
  now: Date,
  earliest: Date = now,
): TrustedSigners {
  const keys: PublicKey[] = [];
  const distrusted: { key: PublicKey; why: Failure }[] = [];
  for (const one of root.keys) {
    const why = distrust(one, role, subject, now, earliest) ?? onlyForSsh(one);
    if (why === null) keys.push(one.key);
    else distrusted.push({ key: one.key, why });
  }
  return { keys, threshold: thresholdFor(root, role), distrusted };
}

/** A key that may sign in some OpenSSH namespaces may sign nothing that has none. */
function onlyForSsh({ name, namespaces }: TrustedKey): Failure | null {
  if (namespaces === null) return null;
  return new Failure(
    "key_not_authorised",
    `key ${quoted(name)} is trusted for OpenSSH signatures in ${namespaces.join(", ")}, not for attestations`,
  );
}
