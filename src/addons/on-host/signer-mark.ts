import { object, within, type Decoder } from "../../base/decode.ts";
import { LIMITS } from "../../base/limits.ts";

/**
 * How many keys have to sign an add-on on this host, whoever is asked for less: so many did once. Only the trust root
 * lowers it, in a version after the one that wanted so many.
 */
export type SignerMark = {
  readonly keys: number;
  /** The newest version of the signed trust root that wanted so many; 0 for none. */
  readonly root_version: number;
};

export const NO_MARK: SignerMark = { keys: 1, root_version: 0 };

/** What is asked for in a run: bare keys are of no root, and that is version 0. */
export type Demand = { readonly threshold: number; readonly rootVersion: number };

/** How many distinct keys have to have signed, by what is asked for now and by what was held before. */
export function keysDemanded(mark: SignerMark, { threshold, rootVersion }: Demand): number {
  return rootVersion > mark.root_version ? threshold : Math.max(threshold, mark.keys);
}

/** Whether less is asked for than before, by those who may. */
export function isLowered(mark: SignerMark, demand: Demand): boolean {
  return keysDemanded(mark, demand) < mark.keys;
}

/** The mark once an add-on that `signers` keys signed is in place. */
export function markAfterSigning(mark: SignerMark, demand: Demand, signers: number): SignerMark {
  const keys = keysDemanded(mark, demand);
  // What was let pass with fewer, by an exception, is no reason to ask for more or for less later.
  if (signers < keys || (keys === 1 && mark.keys === 1)) return mark;
  return { keys, root_version: Math.max(mark.root_version, demand.rootVersion) };
}

export const signerMark: Decoder<SignerMark> = object({
  keys: within(1, LIMITS.trustedKeys),
  root_version: within(0, Number.MAX_SAFE_INTEGER),
});
