import { isSha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { WantedPin } from "../pins/pin.ts";
import { PROMOTION_TYPE } from "../trust/attestation-types.ts";
import type { TrustedSigners } from "../trust/verify-attestation.ts";
import type { TrustFlags } from "./evidence-flags.ts";
import { readTrusted } from "./policy-flags.ts";

/** Whose receipts count for each pin. Throws Failure: a usage code, or those of a trust root. */
export function readReceiptTrust(
  flags: TrustFlags,
  pins: readonly Pick<WantedPin, "template" | "digest">[],
  now: Date,
): (wanted: Pick<WantedPin, "template" | "digest">) => TrustedSigners {
  if (flags.key.length === 0 && flags.trust === undefined)
    throw new Failure("flag_missing", "no key is named: a receipt proves nothing by itself", {
      hint: "pass the public key of those who promote with --key, or a trust root with --trust",
    });
  const byName = new Map(pins.map((pin) => [nameOf(pin), trustedFor(flags, pin, now)]));
  return (pin) => byName.get(nameOf(pin)) ?? trustedFor(flags, pin, now);
}

function nameOf({ template, digest }: Pick<WantedPin, "template" | "digest">): string {
  return `${template} ${digest}`;
}

function trustedFor(
  flags: TrustFlags,
  { template, digest }: Pick<WantedPin, "template" | "digest">,
  now: Date,
): TrustedSigners {
  const sha256 = digest.slice("sha256:".length);
  const trusted = readTrusted(flags, { name: template, sha256: isSha256(sha256) ? sha256 : null }, now);
  return trusted?.(PROMOTION_TYPE) ?? { keys: [], threshold: 1, distrusted: [] };
}
