import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { problemsOf, type TrustRoot } from "./trust-root.ts";
import type { Revocation, TrustedKey } from "./trusted-key.ts";

/** Each gives the next version of a root, or throws Failure `invalid_value` or `trust_root_invalid`. */

export type Thresholds = Readonly<Record<string, number>>;

export function addKeys(root: TrustRoot, added: readonly TrustedKey[], thresholds: Thresholds): TrustRoot {
  return next(root, [...root.keys, ...added], thresholds);
}

export function removeKey(root: TrustRoot, name: string, thresholds: Thresholds): TrustRoot {
  const key = keyNamed(root, name);
  return next(
    root,
    root.keys.filter((one) => one !== key),
    thresholds,
  );
}

/** A revoked key stays listed, so that a signature by it is refused with its reason. */
export function revokeKey(root: TrustRoot, name: string, revocation: Revocation): TrustRoot {
  const key = keyNamed(root, name);
  return next(
    root,
    root.keys.map((one) => (one === key ? { ...one, revocation } : one)),
    {},
  );
}

/** The new key gets everything that the old one may; the old one ends at `until`, so that both are valid before. */
export function rotateKey(
  root: TrustRoot,
  name: string,
  successor: Pick<TrustedKey, "name" | "key">,
  window: { readonly from: Date; readonly until: Date },
): TrustRoot {
  const old = keyNamed(root, name);
  const ends = old.validUntil !== null && old.validUntil < window.until ? old.validUntil : window.until;
  return next(
    root,
    [
      ...root.keys.map((one) => (one === old ? { ...one, validUntil: ends } : one)),
      { ...old, ...successor, validFrom: window.from, validUntil: null, revocation: null },
    ],
    {},
  );
}

function keyNamed(root: TrustRoot, name: string): TrustedKey {
  const found = root.keys.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Failure("invalid_value", `the trust root has no key ${quoted(name)}`, {
    hint: `its keys: ${root.keys.map((one) => one.name).join(", ")}`,
  });
}

function next(root: TrustRoot, keys: readonly TrustedKey[], thresholds: Thresholds): TrustRoot {
  const changed = { version: root.version + 1, keys, thresholds: { ...root.thresholds, ...thresholds } };
  const problems = problemsOf(changed);
  if (problems.length === 0) return changed;
  throw new Failure("trust_root_invalid", `the new root would not be sound: ${problems.join("; ")}`);
}
