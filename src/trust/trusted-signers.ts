import type { Failure } from "../base/failure.ts";
import { verifyEnvelope, type Envelope } from "./dsse.ts";
import type { PublicKey } from "./public-key.ts";

/** Whose signatures on an envelope count. */
export type TrustedSigners = {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
  /** Keys that a trust root knows and that do not count (expired, revoked, another role), for the message. */
  readonly distrusted: readonly { readonly key: PublicKey; readonly why: Failure }[];
};

/** Why a good signature does not count: its key is known, and was revoked, say. */
export function distrustedSigners(envelope: Envelope, distrusted: TrustedSigners["distrusted"]): Failure[] {
  const { signers } = verifyEnvelope(
    envelope,
    distrusted.map(({ key }) => key),
    1,
  );
  const ids = new Set(signers.map(({ keyid }) => keyid));
  return distrusted.filter(({ key }) => ids.has(key.keyid)).map(({ why }) => why);
}
