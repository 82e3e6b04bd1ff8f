import { integer, list, object, string, type Decoder } from "../../base/decode.ts";
import { LIMITS } from "../../base/limits.ts";

/** A statement that was verified, as it is remembered. Times are ISO 8601. */
export type Stated = {
  /** As it came: the same one need not be verified again, and an export carries it on. */
  readonly envelope: string;
  /** The first of `signers`. */
  readonly keyid: string;
  /** The distinct trusted keys that signed it. */
  readonly signers: readonly string[];
  /** Bytes of the artifact. */
  readonly size: number;
  /** "" for never. */
  readonly expires: string;
  /** "" for none. */
  readonly minimum_version: string;
};

const noted = object({
  envelope: string(),
  keyid: string(),
  signers: (value, path, problems) =>
    value === undefined ? [] : list(string(), LIMITS.envelopeSignatures)(value, path, problems),
  size: integer(),
  expires: string(),
  minimum_version: string(),
});

/** What earlier builds noted has one signer, whose key they knew. */
export const stated: Decoder<Stated> = (value, path, problems) => {
  const found = noted(value, path, problems);
  if (found === undefined) return undefined;
  return { ...found, signers: found.signers.length === 0 ? [found.keyid] : found.signers };
};
