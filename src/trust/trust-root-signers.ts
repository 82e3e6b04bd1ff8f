import type { Failure } from "../base/failure.ts";
import type { PublicKey } from "./public-key.ts";
import { thresholdFor, type TrustRoot } from "./trust-root.ts";
import { distrust, distrustNamespace, type Subject } from "./trusted-key.ts";
import type { TrustedSigners } from "./trusted-signers.ts";

/** Whose signatures on an envelope about a subject count in a role now, how many must, and why others do not. */
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
    const why = distrust(one, role, subject, now, earliest) ?? distrustNamespace(one, null);
    if (why === null) keys.push(one.key);
    else distrusted.push({ key: one.key, why });
  }
  return { keys, threshold: thresholdFor(root, role), distrusted };
}
