import { isSha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { Json, World } from "../cli/command.ts";
import type { WantedPin } from "../pins/pin.ts";
import {
  decidePromotion,
  decisionDocument,
  describeDecision,
  evidenceAbout,
  gateFailure,
  type Gate,
  type GateDecision,
} from "../pins/promotion-gate.ts";
import type { Target } from "../pins/target.ts";
import { readAttestations } from "../trust/attestation-file.ts";
import type { Envelope } from "../trust/dsse.ts";
import { CAPTURE_TYPE } from "../trust/attestation-types.ts";
import { isTypeUri } from "../trust/statement.ts";
import { joined } from "./attestation-files.ts";
import { evidenceFlag, type EvidenceFlags } from "./evidence-flags.ts";
import { judgingTime } from "./judging-time.ts";
import { readPolicy, readTrusted, repositoryName, type TrustedFor } from "./policy-flags.ts";

/** What the gate decided, for the result. */
export type GateResult = {
  readonly failure: Failure | null;
  readonly decisions: readonly GateDecision[];
  readonly policy: { readonly name: string; readonly version: number } | null;
  readonly document: { readonly [name: string]: Json };
  /** The decisions in words, for a run that only asks. */
  readonly text: string;
  /** The named statements about what is promoted, for control planes that want them. */
  readonly evidence: readonly Envelope[];
};

/**
 * Holds the evidence that the flags name against every pin of the run. Nothing has been sent by then, and nothing is
 * when it does not hold. Throws Failure with a usage code, or those of a policy that is not to be trusted.
 */
export function checkGate(
  flags: EvidenceFlags,
  pins: readonly WantedPin[],
  targets: readonly Target[],
  world: World,
): GateResult {
  const gate = readGate(flags, pins, world);
  const decisions = decidePromotion(
    gate,
    targets.map(({ env }) => env),
    pins,
  );
  for (const { env, warnings } of decisions)
    for (const warning of warnings) world.say.warn(`${env}: ${warning}`);
  const policy = gate.policy === null ? null : { name: gate.policy.name, version: gate.policy.version };
  return {
    failure: gateFailure(decisions),
    decisions,
    policy,
    document: {
      policy,
      decisions: decisions.map(decisionDocument),
    },
    text: decisions.map((decision) => describeDecision(decision, gate.policy)).join(""),
    evidence: evidenceAbout(gate.attestations, pins),
  };
}

function readGate(flags: EvidenceFlags, pins: readonly WantedPin[], world: World): Gate {
  const { attestation, "predicate-type": predicateType } = flags;
  if (attestation.length === 0) throw withoutEvidence(flags);
  if (predicateType !== undefined && !isTypeUri(predicateType))
    throw new Failure("invalid_value", `--predicate-type is ${quoted(predicateType)}; wanted a URI`);
  if (flags.key.length === 0 && flags.trust === undefined && flags["policy-key"].length === 0)
    throw new Failure("flag_missing", "no key is named: a signature proves nothing by itself", {
      hint: "pass the signer's public key with --key, or a trust root with --trust",
    });
  const now = judgingTime(world);
  const policy = readPolicy(flags, world, now);
  if (policy === null && flags.key.length === 0 && flags.trust === undefined)
    throw new Failure("flags_contradict", "--policy-key was given without --policy, which it is for");
  // Read once for each pin, and before anything is decided: a broken trust root is a usage error.
  const trusted = new Map(pins.map((wanted) => [wanted, trustedFor(flags, wanted, now)]));
  return {
    attestations: joined(attestation.map(readAttestations)),
    trusted: (wanted) => trusted.get(wanted) ?? (() => null),
    policy,
    predicateType: predicateType ?? (policy === null ? CAPTURE_TYPE : null),
    repositoryName,
    now,
  };
}

function trustedFor(flags: EvidenceFlags, { template, digest }: WantedPin, now: Date): TrustedFor | null {
  const sha256 = digest.slice("sha256:".length);
  return readTrusted(flags, { name: template, sha256: isSha256(sha256) ? sha256 : null }, now);
}

/**
 * A policy without evidence is not satisfied; a key without it
 * checks nothing, and whoever gave it believes that it does.
 */
function withoutEvidence(flags: EvidenceFlags): Failure {
  const { policy } = flags;
  if (policy === undefined) {
    const message = `--${evidenceFlag(flags)} was given without --attestation, which it is for`;
    return new Failure("flags_contradict", message);
  }
  const message = `policy ${quoted(policy)} demands evidence, and no attestation is named`;
  return new Failure("no_evidence", message, { hint: "pass --attestation FILE" });
}
