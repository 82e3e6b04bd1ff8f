import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { normaliseRemote } from "../source/remote.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { openPolicy, type OpenedPolicy, type VerifiedPolicy } from "../trust/policy.ts";
import { readPolicyEnvelope } from "../trust/policy-file.ts";
import { keysFor, thresholdFor } from "../trust/trust-root.ts";
import { loadTrustRoot } from "../trust/trust-root-file.ts";
import { distrust, type Subject } from "../trust/trusted-key.ts";
import type { TrustedSigners } from "../trust/verify-attestation.ts";

/** Roles of a trust root: who may attest, and who may sign a policy. */
const ATTEST_ROLE = "attest";
const POLICY_ROLE = "policy";

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
    description: "a trust root: its keys in the role attest count",
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
} as const;

export type TrustFlags = Values<typeof TRUST_FLAGS>;
export type PolicyFlags = Values<typeof POLICY_FLAGS>;

/** The keys that the flags name, or null when they name none. Throws Failure with a usage code. */
export function readTrusted(flags: TrustFlags, subject: Subject | null, now: Date): TrustedSigners | null {
  return trustedIn(flags, ATTEST_ROLE, subject, now);
}

function trustedIn(
  flags: TrustFlags,
  role: string,
  subject: Subject | null,
  now: Date,
): TrustedSigners | null {
  const { key, trust } = flags;
  if (key.length > 0 && trust !== undefined)
    throw new Failure("flags_contradict", "--key and --trust both say whose signatures count", {
      hint: "give one",
    });
  const threshold = flags.threshold === undefined ? null : readThreshold(flags.threshold);
  if (trust === undefined) {
    if (key.length === 0 && threshold !== null)
      throw new Failure("flag_missing", "--threshold was given without --key or --trust");
    if (key.length === 0) return null;
    const keys = key.map((text) => publicKeyArgument(text, "--key"));
    const distinct = new Set(keys.map(({ keyid }) => keyid)).size;
    if ((threshold ?? 1) > distinct)
      throw new Failure("flags_contradict", `--threshold wants ${threshold} of ${distinct} distinct keys`, {
        hint: "name every key that may sign with --key",
      });
    return { keys, threshold: threshold ?? 1, distrusted: [] };
  }
  const { root } = loadTrustRoot(trust);
  const distrusted = root.keys.flatMap((one) => {
    const why = distrust(one, role, subject, now);
    return why === null ? [] : [{ key: one.key, why }];
  });
  // A flag may ask for more than the root does, never for less.
  const wanted = Math.max(threshold ?? 1, thresholdFor(root, role));
  return { keys: keysFor(root, role, subject, now), threshold: wanted, distrusted };
}

function readThreshold(text: string): number {
  if (/^[1-9]\d{0,2}$/u.test(text)) return Number(text);
  throw new Failure("invalid_value", `--threshold is ${quoted(text)}; wanted a whole number from 1 to 999`);
}

/**
 * The policy that the flags name, its signatures and validity checked, or null without --policy. Throws Failure: a
 * usage code, or the first of the policy's refusals with the others in its message.
 */
export function readPolicy(flags: TrustFlags & PolicyFlags, world: World, now: Date): VerifiedPolicy | null {
  const path = flags.policy;
  if (path === undefined) {
    if (flags["policy-key"].length > 0)
      throw new Failure("flags_contradict", "--policy-key was given without --policy, which it is for");
    return null;
  }
  const opened = openPolicyFile(path, flags, now);
  if (opened.ok) return opened.policy;
  for (const refusal of opened.refusals.slice(1)) world.say.warn(refusal.message);
  const [first] = opened.refusals;
  throw first ?? new Failure("signature_invalid", `policy ${quoted(path)} is not signed`);
}

export function openPolicyFile(path: string, flags: TrustFlags & PolicyFlags, now: Date): OpenedPolicy {
  const named = flags["policy-key"].map((text) => publicKeyArgument(text, "--policy-key"));
  const signedBy =
    named.length > 0
      ? { keys: named, threshold: 1 }
      : trustedIn({ ...flags, threshold: undefined }, POLICY_ROLE, null, now);
  if (signedBy === null)
    throw new Failure("flag_missing", "nobody is named whose signature on the policy counts", {
      hint: "pass --policy-key, --key or --trust",
    });
  return openPolicy(readPolicyEnvelope(path), `policy ${quoted(path)}`, signedBy, now, repositoryName);
}

const HAS_ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/|[^/]+@[^/]+:)/iu;

/** Any way to write a repository in the one form that captures use; stars of a pattern stay. */
export function repositoryName(text: string): string | null {
  return normaliseRemote(HAS_ADDRESS.test(text) ? text : `https://${text}`).repo;
}
