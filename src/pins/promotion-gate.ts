import { hexOf, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import type { FoundAttestations } from "../trust/attestation.ts";
import { mainRefusal } from "../trust/attestation-refusals.ts";
import type { Envelope } from "../trust/dsse.ts";
import { parseStatement, type Subject } from "../trust/statement.ts";
import type { VerifiedPolicy } from "../trust/policy.ts";
import { rulesFor } from "../trust/policy-decision.ts";
import type { PolicyRule, RepositoryName } from "../trust/policy-document.ts";
import { verifyAttestations, type AttestationQuestion } from "../trust/verify-attestation.ts";
import type { WantedPin } from "./pin.ts";

/** What stands before a promotion: nothing is sent unless every pin is allowed in every environment. */
export type Gate = {
  readonly attestations: FoundAttestations;
  /** By template, because a trust root may trust a key with some templates only. */
  readonly trusted: (wanted: WantedPin) => AttestationQuestion["trusted"];
  readonly policy: VerifiedPolicy | null;
  /** The one predicate type that is taken; null leaves it to the rules of the policy. */
  readonly predicateType: string | null;
  readonly repositoryName: RepositoryName;
  readonly now: Date;
};

/** The decision about one pin in one environment. */
export type GateDecision = {
  readonly env: string;
  readonly template: string;
  readonly allowed: boolean;
  /** The rules that apply to the place, whatever became of them. */
  readonly rules: readonly Pick<PolicyRule, "name" | "level">[];
  readonly refusals: readonly Failure[];
  readonly warnings: readonly string[];
  /** The statements that hold, by the digest of the bytes that were signed, and the keys that count. */
  readonly evidence: readonly {
    readonly predicateType: string;
    readonly sha256: Sha256;
    readonly keyids: readonly string[];
  }[];
};

/** Holds the attestations against the very digest that is going to be pinned, everywhere. No I/O. */
export function decidePromotion(
  gate: Gate,
  envs: readonly string[],
  pins: readonly WantedPin[],
): GateDecision[] {
  return envs.flatMap((env) => pins.map((wanted) => decideOne(gate, env, wanted)));
}

function decideOne(gate: Gate, env: string, wanted: WantedPin): GateDecision {
  const { template } = wanted;
  const place = { env, template };
  const verdict = verifyAttestations(gate.attestations, {
    subject: hexOf(wanted.digest),
    predicateType: gate.predicateType,
    trusted: gate.trusted(wanted),
    policy:
      gate.policy === null ? null : { document: gate.policy, place, repositoryName: gate.repositoryName },
    now: gate.now,
  });
  const allowed = verdict.accepted.length > 0;
  return {
    ...place,
    allowed,
    rules: gate.policy === null ? [] : rulesFor(gate.policy, place),
    refusals: allowed ? [] : verdict.refusals,
    // Several statements may hold, and each is warned of in the same words.
    warnings: [...new Set(verdict.accepted.flatMap(({ warnings }) => warnings))],
    evidence: verdict.accepted.map(({ statement: { predicateType }, payloadSha256, signers }) => ({
      predicateType,
      sha256: payloadSha256,
      keyids: signers.map(({ keyid }) => keyid),
    })),
  };
}

/** The statements about one of these digests, whoever signed them and whatever they say of it. */
export function evidenceAbout(
  { attestations }: FoundAttestations,
  pins: readonly WantedPin[],
): readonly Envelope[] {
  const wanted: ReadonlySet<string> = new Set(pins.map(({ digest }) => hexOf(digest)));
  return attestations
    .filter(({ envelope, from }) =>
      subjectsOf(envelope, from).some(({ digest }) => wanted.has(digest["sha256"] ?? "")),
    )
    .map(({ envelope }) => envelope);
}

function subjectsOf({ payload }: Envelope, from: string): readonly Subject[] {
  try {
    return parseStatement(payload, from).subjects;
  } catch (error) {
    // What is no statement was refused where it was decided, and is nobody's evidence.
    if (error instanceof Failure) return [];
    throw error;
  }
}

/** The failure of a gate that stays shut: wrong evidence before a policy that is not satisfied. Null when open. */
export function gateFailure(decisions: readonly GateDecision[]): Failure | null {
  const shut = decisions.filter(({ allowed }) => !allowed);
  const refusals = shut.flatMap(({ env, template, refusals }) =>
    refusals.map((one) => new Failure(one.code, `${template} in ${env}: ${one.message}`, one)),
  );
  return mainRefusal(refusals) ?? (decisions.length > 0 && shut.length === 0 ? null : nothingDecided());
}

function nothingDecided(): Failure {
  return new Failure("nothing_checked", "no pin was held against its attestation");
}

export type DecisionDocument = {
  env: string;
  template: string;
  allowed: boolean;
  rules: string[];
  refusals: { code: string; message: string }[];
  warnings: string[];
  evidence: { predicate_type: string; sha256: string; keyids: string[] }[];
};

export function decisionDocument(decision: GateDecision): DecisionDocument {
  const { env, template, allowed, rules, refusals, warnings, evidence } = decision;
  return {
    env,
    template,
    allowed,
    rules: rules.map(({ name }) => name),
    refusals: refusals.map(({ code, message }) => ({ code, message })),
    warnings: [...warnings],
    evidence: evidence.map(({ predicateType, sha256, keyids }) => ({
      predicate_type: predicateType,
      sha256,
      keyids: [...keyids],
    })),
  };
}

/** A decision for a person: which rules apply, what let the promotion pass, and everything that does not hold. */
export function describeDecision(decision: GateDecision, policy: Gate["policy"]): string {
  const { env, template, allowed, rules, refusals, warnings, evidence } = decision;
  const under =
    policy === null ? "without a policy" : `under ${quoted(policy.name)} version ${policy.version}`;
  const lines = [
    `${allowed ? "ALLOWED" : "REFUSED"} ${template} in ${env}, ${under}`,
    ...rules.map(({ name, level }) => `  rule     ${printable(name, 200)} (${level})`),
    ...evidence.map(
      ({ predicateType, sha256, keyids }) =>
        `  evidence ${printable(predicateType, 200)} sha256:${sha256}, signed by ${keyids.join(", ")}`,
    ),
    ...warnings.map((warning) => `  warning  ${printable(warning)}`),
    ...refusals.map(({ code, message }) => `  refusal  ${code}: ${printable(message)}`),
  ];
  return `${lines.join("\n")}\n`;
}
