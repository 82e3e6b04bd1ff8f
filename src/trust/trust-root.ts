import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";
import type { PublicKey } from "./public-key.ts";
import { distrustNamespace, type TrustedKey } from "./trusted-key.ts";

/** Who is trusted with what. A root is replaced by a later version that its own root keys signed. */
export type TrustRoot = {
  /** From 1; only ever rises. */
  readonly version: number;
  readonly keys: readonly TrustedKey[];
  /** Distinct keys that must sign, for each role that wants another number than one. */
  readonly thresholds: Readonly<Record<string, number>>;
};

/** The DSSE payload type of a signed root: no other signature of the same key can be taken for one. */
export const TRUST_ROOT_TYPE = "application/vnd.waybill.trust-root+json";
/** The role whose keys sign the next root. */
export const ROOT_ROLE = "root";

/** How many distinct keys must have signed in a role: one, unless the root says another number. */
export function thresholdFor(root: TrustRoot, role: string): number {
  return (Object.hasOwn(root.thresholds, role) ? root.thresholds[role] : undefined) ?? 1;
}

/** The keys that may sign as root, their windows aside: what was signed in time stays signed. */
export function rootKeys(root: TrustRoot): readonly PublicKey[] {
  return root.keys
    .filter((one) => one.revocation === null && one.roles?.includes(ROOT_ROLE) === true)
    .flatMap((one) => (distrustNamespace(one, null) === null ? [one.key] : []));
}

export function isRole(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/u.test(text);
}

/** Names are principals of allowed_signers and file names too. */
export function isKeyName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/u.test(text);
}

/** What makes a root contradict itself or lock itself out; none for a sound one. */
export function problemsOf(root: TrustRoot): readonly string[] {
  const backwards = root.keys.flatMap(({ name, validFrom, validUntil }) =>
    validFrom !== null && validUntil !== null && validUntil < validFrom
      ? [`key ${name} is valid until before it is valid`]
      : [],
  );
  const [wanted, there] = [thresholdFor(root, ROOT_ROLE), rootKeys(root).length];
  return [
    ...repeated(
      "name",
      root.keys.map(({ name }) => name),
    ),
    ...repeated(
      "keyid",
      root.keys.map(({ key }) => key.keyid),
    ),
    ...backwards,
    ...(there < wanted
      ? [`${there} keys may sign as root and ${wanted} must: nobody could ever change it`]
      : []),
    ...(wanted > LIMITS.envelopeSignatures
      ? [`${wanted} keys must sign as root and one envelope holds ${LIMITS.envelopeSignatures} signatures`]
      : []),
  ];
}

function repeated(what: string, values: readonly string[]): string[] {
  const twice = new Set(values.filter((value, index) => values.includes(value, index + 1)));
  return [...twice].map((value) => `two keys have the ${what} ${printable(value, 80)}`);
}
