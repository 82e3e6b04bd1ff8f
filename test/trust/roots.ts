import { randomBytes } from "node:crypto";
import { addSignature, type Envelope } from "../../src/trust/dsse.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { formatTrustRoot } from "../../src/trust/trust-root-document.ts";
import { TRUST_ROOT_TYPE, type TrustRoot } from "../../src/trust/trust-root.ts";
import { readSignedRoot, type SignedRoot } from "../../src/trust/trust-root-succession.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";

/** What tests about trust roots need: keys by name, entries for them, roots, envelopes. */

const made = new Map<string, SigningKey>();

/** The same name is the same key within a run. */
export function keyOf(name: string): SigningKey {
  const key = made.get(name) ?? new SigningKey(randomBytes(32), name);
  made.set(name, key);
  return key;
}

export function trusted(name: string, more: Partial<TrustedKey> = {}): TrustedKey {
  return {
    name,
    key: keyOf(name).publicKey,
    roles: ["build"],
    scopes: ["**"],
    namespaces: null,
    validFrom: null,
    validUntil: null,
    revocation: null,
    ...more,
  };
}

/** Version 1 with the root key "root" and these. */
export function aRoot(keys: readonly TrustedKey[], more: Partial<TrustRoot> = {}): TrustRoot {
  return { version: 1, keys: [trusted("root", { roles: ["root"] }), ...keys], thresholds: {}, ...more };
}

export function envelopeOf(root: TrustRoot, signers: readonly string[]): Envelope {
  const payload = new TextEncoder().encode(formatTrustRoot(root));
  const empty: Envelope = { payloadType: TRUST_ROOT_TYPE, payload, signatures: [] };
  return signers.reduce((envelope, name) => addSignature(keyOf(name), envelope), empty);
}

export function signedRoot(root: TrustRoot, signers: readonly string[]): SignedRoot {
  return readSignedRoot(envelopeOf(root, signers), "the root");
}
