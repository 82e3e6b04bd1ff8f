import { isSha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { WantedPin } from "../pins/pin.ts";
import { PROMOTION_TYPE } from "../trust/attestation-types.ts";
import type { TrustedSigners } from "../trust/trusted-signers.ts";
import type { TrustFlags } from "./evidence-flags.ts";
import { readTrusted, type TrustedFor } from "./policy-flags.ts";

type Pin = Pick<WantedPin, "template" | "digest">;

/** Whose receipts count for each of these pins. Throws Failure: a usage code, or those of a trust root. */
export function readReceiptTrust(
  flags: TrustFlags,
  pins: readonly Pin[],
  now: Date,
): (wanted: Pin) => TrustedSigners {
  const trusted = readTrusterOf(flags, now);
  // Read before anything is asked of a server: a broken trust root is a usage error.
  const found = new Map(pins.map((pin) => [pin, trusted(pin)(PROMOTION_TYPE)]));
  return (pin) => found.get(pin) ?? trusted(pin)(PROMOTION_TYPE);
}

/** Whose statements count about a pin, for each kind of statement. Throws Failure as `readReceiptTrust`. */
export function readTrusterOf(flags: TrustFlags, now: Date): (pin: Pin) => TrustedFor {
  if (flags.key.length === 0 && flags.trust === undefined)
    throw new Failure("flag_missing", "no key is named: a receipt proves nothing by itself", {
      hint: "pass the public key of those who promote with --key, or a trust root with --trust",
    });
  return ({ template, digest }) => {
    const sha256 = digest.slice("sha256:".length);
    const subject = { name: template, sha256: isSha256(sha256) ? sha256 : null };
    return readTrusted(flags, subject, now) ?? (() => ({ keys: [], threshold: 1, distrusted: [] }));
  };
}
