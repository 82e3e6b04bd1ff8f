import type { PublicKey } from "../../trust/public-key.ts";
import type { TrustedSigners } from "../../trust/trusted-signers.ts";
import type { Wanted } from "../assigned/ask.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";
import type { Stated } from "../on-host/stated.ts";

/** Who may sign an artifact of an add-on, and how many of them have to. */
export type ReleaseSigners = TrustedSigners & {
  /** What a trust root calls its keys, by keyid. */
  readonly names: ReadonlyMap<string, string>;
  /** The version of the trust root that says so; 0 for bare keys and lists that have none. */
  readonly rootVersion: number;
};

/** Who may have signed an artifact of an add-on: with a trust root not everybody may sign everything. */
export type ReleaseKeys = (artifact: Pick<Wanted, "id" | "sha256">) => ReleaseSigners;

/** Bare keys: one of them is enough. */
export function bareKeys(keys: readonly PublicKey[]): ReleaseSigners {
  return { keys, threshold: 1, distrusted: [], names: new Map(), rootVersion: 0 };
}

/** Whether a statement that enough keys signed stands in the place of the one signature over the bytes. */
export function isProvenByStatement(threshold: number, stated: Stated | null): stated is Stated {
  return threshold > 1 && stated !== null && stated.signers.length >= threshold;
}

/** The signature that the bytes themselves have to bring; null when none came, or when a statement proves them. */
export function bytesCheck(
  signature: Uint8Array | null,
  { keys, threshold }: ReleaseSigners,
  stated: Stated | null,
): SignatureCheck | null {
  return signature === null || isProvenByStatement(threshold, stated) ? null : { signature, keys };
}

/** Keys by the names that the trust root gives them, else by keyid. */
export function namesOf(keyids: readonly string[], { names }: Pick<ReleaseSigners, "names">): string {
  return keyids.map((keyid) => names.get(keyid) ?? keyid).join(", ");
}
