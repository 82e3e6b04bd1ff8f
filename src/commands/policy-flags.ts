import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { normaliseRemote } from "../source/remote.ts";
import { roleFor } from "../trust/attestation-types.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { openPolicy, type OpenedPolicy, type VerifiedPolicy } from "../trust/policy.ts";
import { refuseOldPolicy } from "../trust/policy-state.ts";
import { readPolicyEnvelope } from "../trust/policy-file.ts";
import type { PublicKey } from "../trust/public-key.ts";
import { isRole } from "../trust/trust-root.ts";
import { signersIn } from "../trust/trust-root-signers.ts";
import { loadTrust } from "../trust/trust-source.ts";
import type { Subject } from "../trust/trusted-key.ts";
import type { TrustedSigners } from "../trust/trusted-signers.ts";
import type { PolicyFlags, TrustFlags } from "./evidence-flags.ts";

/** The role of a trust root that may sign policies. */
const POLICY_ROLE = "policy";

/**
 * Whose signatures count for each type of statement; null when the flags name nobody. Throws Failure with a usage
 * code, or those of a trust root.
 */
export function readTrusted(flags: TrustFlags, subject: Subject, now: Date): TrustedFor | null {
  return readTrustedOf(flags)?.(subject, now) ?? null;
}

/** The same for whoever will ask about several artifacts: key files and the trust root are read once. */
export function readTrustedOf(flags: TrustFlags): ((subject: Subject, now: Date) => TrustedFor) | null {
  const threshold = flags.threshold === undefined ? null : readThreshold(flags.threshold);
  refuseStrayTrust(flags);
  if (flags.trust === undefined) {
    const keys = namedKeys(flags, threshold ?? 1);
    return keys === null ? null : () => () => ({ keys, threshold: threshold ?? 1, distrusted: [] });
  }
  const { root } = loadTrust(flags.trust, flags["trust-state"] ?? null);
  return (subject, now) => {
    // Once for each role, however many attestations a file has.
    const found = new Map<string, TrustedSigners>();
    return (predicateType) => {
      const role = flags.role ?? roleFor(predicateType);
      const signers = found.get(role) ?? signersIn(root, role, subject, now);
      found.set(role, signers);
      // A flag may ask for more than the root does, never for less.
      return { ...signers, threshold: Math.max(threshold ?? 1, signers.threshold) };
    };
  };
}

export type TrustedFor = (predicateType: string) => TrustedSigners;

function refuseStrayTrust(flags: TrustFlags): void {
  const { key, trust, role, threshold, "trust-state": state } = flags;
  if (key.length > 0 && trust !== undefined)
    throw new Failure("flags_contradict", "--key and --trust both say whose signatures count", {
      hint: "give one",
    });
  if (role !== undefined && !isRole(role))
    throw new Failure("invalid_value", `--role is ${quoted(role)}; wanted a word such as capture`);
  const stray = role === undefined ? state && "--trust-state" : "--role";
  if (trust === undefined && stray !== undefined)
    throw new Failure("flags_contradict", `${stray} was given without --trust, which it is for`);
  if (trust === undefined && key.length === 0 && threshold !== undefined)
    throw new Failure("flags_contradict", "--threshold was given without --key or --trust, which it is for");
}

function namedKeys(flags: TrustFlags, threshold: number): readonly PublicKey[] | null {
  if (flags.key.length === 0) return null;
  const keys = flags.key.map((text) => publicKeyArgument(text, "--key"));
  const distinct = new Set(keys.map(({ keyid }) => keyid)).size;
  if (threshold <= distinct) return keys;
  throw new Failure("flags_contradict", `--threshold wants ${threshold} of ${distinct} distinct keys`, {
    hint: "name every key that may sign with --key",
  });
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
    if (flags["policy-state"] !== undefined)
      throw new Failure("flags_contradict", "--policy-state was given without --policy, which it is for");
    return null;
  }
  const opened = openPolicyFile(path, flags, now);
  if (opened.ok) return opened.policy;
  for (const refusal of opened.refusals.slice(1)) world.say.warn(refusal.message);
  const [first] = opened.refusals;
  throw first ?? new Failure("signature_invalid", `policy ${quoted(path)} is not signed`);
}

/** Throws Failure with a usage code, or those of a trust root; what is wrong with the policy is a value. */
export function openPolicyFile(path: string, flags: TrustFlags & PolicyFlags, now: Date): OpenedPolicy {
  refuseStrayTrust(flags);
  const named = flags["policy-key"].map((text) => publicKeyArgument(text, "--policy-key"));
  const signedBy =
    named.length > 0 ? { keys: named, threshold: 1, distrusted: [] } : policySigners(flags, now);
  if (signedBy === null)
    throw new Failure("flag_missing", "nobody is named whose signature on the policy counts", {
      hint: "pass --policy-key, --key or --trust",
    });
  const from = `policy ${quoted(path)}`;
  const opened = openPolicy(readPolicyEnvelope(path), from, signedBy, now, repositoryName);
  const state = flags["policy-state"];
  if (opened.ok && state !== undefined) {
    const { name, version } = opened.policy;
    refuseOldPolicy({ name, version, sha256: opened.sha256 }, from, state);
  }
  return opened;
}

function policySigners(flags: TrustFlags, now: Date): TrustedSigners | null {
  if (flags.trust === undefined) {
    const keys = namedKeys(flags, 1);
    return keys === null ? null : { keys, threshold: 1, distrusted: [] };
  }
  const { kind, root } = loadTrust(flags.trust, flags["trust-state"] ?? null);
  // Its keys may sign anything, and each developer in it could then allow everything.
  if (kind === "allowed_signers")
    throw new Failure("flag_missing", `${quoted(flags.trust)} does not say who may sign a policy`, {
      hint: "pass --policy-key, or a trust root with a key in the role policy",
    });
  return signersIn(root, POLICY_ROLE, null, now);
}

const HAS_ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/|[^/]+@[^/]+:)/iu;

/** Any way to write a repository in the one form that captures use; stars of a pattern stay. */
export function repositoryName(text: string): string | null {
  return normaliseRemote(HAS_ADDRESS.test(text) ? text : `https://${text}`).repo;
}
