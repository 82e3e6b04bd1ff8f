import type { Values } from "../cli/flags.ts";

/** Whose signatures count. */
export const TRUST_FLAGS = {
  key: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "a public key whose signature counts; any of several",
  },
  trust: {
    type: "string",
    valueHint: "ROOT",
    description: "a trust root: its keys count, in the role for the kind of statement; or allowed signers",
  },
  "trust-state": {
    type: "string",
    valueHint: "FILE",
    description: "with --trust: remembers the newest root seen here, and refuses older ones",
  },
  role: {
    type: "string",
    valueHint: "ROLE",
    description: "with --trust: the role that a signer must have (capture, promote, else build)",
  },
  threshold: {
    type: "string",
    valueHint: "N",
    description: "how many distinct keys must have signed (1, or what the trust root says)",
  },
} as const;

export const POLICY_FLAGS = {
  policy: {
    type: "string",
    valueHint: "FILE",
    description: "a signed policy that the attestation must satisfy",
  },
  "policy-key": {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "a public key that may sign the policy (else --key, or the role policy of --trust)",
  },
  "policy-state": {
    type: "string",
    valueHint: "FILE",
    description: "with --policy: remembers the newest version seen here, and refuses older ones",
  },
} as const;

export type TrustFlags = Values<typeof TRUST_FLAGS>;
export type PolicyFlags = Values<typeof POLICY_FLAGS>;

export const GATE_FLAGS = {
  attestation: {
    type: "string",
    repeat: true,
    valueHint: "FILE",
    description: "evidence about the pinned digest, checked before anything is sent",
  },
  "predicate-type": {
    type: "string",
    valueHint: "URI",
    description: "the kind of statement that is wanted (a capture, or what the policy says)",
  },
} as const;

export type EvidenceFlags = Values<typeof GATE_FLAGS> & TrustFlags & PolicyFlags;

/**
 * The first flag that was given and says anything about evidence, so that a stray one is refused and not overlooked.
 */
export function evidenceFlag(flags: Readonly<Record<string, unknown>>): string | null {
  for (const name in { ...GATE_FLAGS, ...TRUST_FLAGS, ...POLICY_FLAGS }) {
    const value = flags[name];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return name;
  }
  return null;
}
