import type { Sha256 } from "../base/digest.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { mergeEqual, type Attestation, type FoundAttestations } from "./attestation.ts";
import {
  inPlace,
  nothingFound,
  otherPayloadType,
  otherSubject,
  tooManyTrials,
} from "./attestation-refusals.ts";
import { isKnownType, knownTypes } from "./attestation-types.ts";
import { trialsOf, verifyEnvelope, type Envelope } from "./dsse.ts";
import type { VerifiedPolicy } from "./policy.ts";
import { decide, rulesFor, type Place } from "./policy-decision.ts";
import type { PolicyRule, RepositoryName } from "./policy-document.ts";
import type { PublicKey } from "./public-key.ts";
import { isEndless } from "./signature-trials.ts";
import { parseStatement, STATEMENT_PAYLOAD_TYPE, type Statement, type Subject } from "./statement.ts";
import { distrustedSigners, type TrustedSigners } from "./trusted-signers.ts";

/** Something that was verified. Made only by `verifyAttestations`, out of the very bytes that were signed. */
type Verified<T> = T & { readonly __verified: unique symbol };

/** Everything that the decision depends on: it reads no file, no clock and no environment. */
export type AttestationQuestion = {
  /** The artifact or image, by digest; names prove nothing. */
  readonly subject: Sha256;
  /** The one predicate type that is taken; null for any that waybill knows or that a rule of the policy names. */
  readonly predicateType: string | null;
  /**
   * Whose signatures count for a statement of this type; null leaves it to the signers that the enforced rules of the
   * policy name. Who may say what was captured need not be who may say what was promoted.
   */
  readonly trusted: (predicateType: string) => TrustedSigners | null;
  readonly policy: {
    readonly document: VerifiedPolicy;
    readonly place: Place;
    readonly repositoryName: RepositoryName;
  } | null;
  readonly now: Date;
};

export type AcceptedAttestation = {
  readonly statement: Verified<Statement>;
  /** The subject that is the artifact. */
  readonly subject: Subject;
  /** The distinct keys that count. */
  readonly signers: readonly PublicKey[];
  readonly format: "bundle" | "dsse";
  readonly from: string;
  /** SHA-256 of the bytes that were signed: what names this statement and no other. */
  readonly payloadSha256: Sha256;
  /** Evidence that was there and was not checked. */
  readonly unchecked: readonly string[];
  /** The rules of the policy that it satisfies. */
  readonly rules: readonly string[];
  readonly warnings: readonly string[];
};

export type AttestationVerdict = {
  /** Attestations that were judged. */
  readonly checked: number;
  /** Empty unless at least one attestation holds in every respect. */
  readonly accepted: readonly AcceptedAttestation[];
  /** Everything that is wrong with the others, each with its place. */
  readonly refusals: readonly Failure[];
  readonly skippedLines: number;
};

/**
 * The decision about a file of attestations. One that holds is enough, whatever stands beside it: other people's
 * attestations of other things are no reason to refuse, and none at all is never a success. Throws Failure
 * `evidence_too_large` before the first signature is tried, when there are too many to try.
 */
export function verifyAttestations(
  found: FoundAttestations,
  question: AttestationQuestion,
): AttestationVerdict {
  const attestations = mergeEqual(found.attestations);
  const read = attestations.map((attestation) => {
    const statement = statementIn(attestation.envelope, attestation.from);
    return { attestation, statement, signers: signersFor(statement, question) };
  });
  const work = read.map(({ attestation, signers: { candidates, trusted } }) =>
    trialsOf(attestation.envelope, candidates.length + trusted.distrusted.length),
  );
  if (isEndless(work)) throw tooManyTrials();
  const accepted: AcceptedAttestation[] = [];
  const refusals: Failure[] = [...found.refusals];
  for (const { attestation, statement, signers } of read) {
    const judged = judge(attestation, statement, signers, question);
    if (judged.ok) accepted.push(judged.accepted);
    else refusals.push(...judged.refusals.map((refusal) => inPlace(attestation.from, refusal)));
  }
  const checked = attestations.length + found.refusals.length;
  if (checked === 0) refusals.push(nothingFound(found.skippedLines));
  return { checked, accepted, refusals, skippedLines: found.skippedLines };
}

type Judged =
  | { readonly ok: true; readonly accepted: AcceptedAttestation }
  | { readonly ok: false; readonly refusals: readonly Failure[] };

type Signers = {
  /** Of whom enough must have signed, whatever the policy wants besides. */
  readonly trusted: TrustedSigners;
  /** Those, and every key that the rules of the policy name. */
  readonly candidates: readonly PublicKey[];
};

function signersFor(statement: Statement | Failure, question: AttestationQuestion): Signers {
  const { policy } = question;
  const rules = policy === null ? [] : rulesFor(policy.document, policy.place);
  const trusted = question.trusted(statement instanceof Failure ? "" : statement.predicateType) ??
    // A rule that only warns must not let a signer in whom nobody else named.
    { keys: keysOf(rules.filter(({ level }) => level === "enforce")), threshold: 1, distrusted: [] };
  const keys = [...trusted.keys, ...keysOf(rules)];
  return { trusted, candidates: [...new Map(keys.map((key) => [key.keyid, key])).values()] };
}

function keysOf(rules: readonly PolicyRule[]): PublicKey[] {
  return rules.flatMap(({ signers }) => signers.flatMap(({ keys }) => keys));
}

/** Every check runs, also after one has failed: a refusal lists every reason. */
function judge(
  attestation: Attestation,
  statement: Statement | Failure,
  { trusted, candidates }: Signers,
  question: AttestationQuestion,
): Judged {
  const { envelope, from, format, unchecked } = attestation;
  const refusals: Failure[] = [];
  const verdict = verifyEnvelope(envelope, candidates, 1);
  const untrusted = verdict.ok ? tooFewTrusted(verdict.signers, trusted) : verdict.refusals;
  if (untrusted.length > 0) refusals.push(...untrusted, ...distrustedSigners(envelope, trusted.distrusted));
  if (envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) refusals.push(otherPayloadType(envelope.payloadType));
  if (statement instanceof Failure) return { ok: false, refusals: [...refusals, statement] };
  refusals.push(...typeRefusals(statement, question));
  const subject = statement.subjects.find(({ digest }) => digest["sha256"] === question.subject);
  if (subject === undefined) refusals.push(otherSubject(statement, question.subject));
  const decision =
    question.policy === null
      ? null
      : decide(
          question.policy.document,
          question.policy.place,
          { statement, signers: verdict.signers },
          question.now,
          question.policy.repositoryName,
        );
  refusals.push(...(decision?.refusals ?? []));
  if (!verdict.ok || subject === undefined || refusals.length > 0) return { ok: false, refusals };
  return {
    ok: true,
    accepted: {
      // The one place where a statement becomes a verified one.
      statement: statement as Verified<Statement>, // oxlint-disable-line typescript/no-unsafe-type-assertion
      subject,
      signers: verdict.signers,
      format,
      from,
      payloadSha256: sha256Of(envelope.payload),
      unchecked,
      rules: decision?.rules ?? [],
      warnings: decision?.warnings ?? [],
    },
  };
}

function tooFewTrusted(signers: readonly PublicKey[], trusted: TrustedSigners): Failure[] {
  const ids = new Set(trusted.keys.map(({ keyid }) => keyid));
  const count = signers.filter(({ keyid }) => ids.has(keyid)).length;
  if (count >= trusted.threshold) return [];
  return [
    new Failure(
      "threshold_not_met",
      `${count} of the wanted ${trusted.threshold} distinct trusted keys signed`,
      {
        hint: "several signatures by one key count once",
      },
    ),
  ];
}

/** What the payload says: of the envelope whose signatures are checked, never of anything that lies beside it. */
function statementIn(envelope: Envelope, from: string): Statement | Failure {
  try {
    return parseStatement(envelope.payload, from);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "internal_error") throw error;
    return failure;
  }
}

function typeRefusals(
  { predicateType }: Statement,
  { predicateType: wanted, policy }: AttestationQuestion,
): Failure[] {
  const found = `the predicate type is ${quoted(predicateType)}`;
  if (wanted !== null)
    return predicateType === wanted
      ? []
      : [new Failure("predicate_type_mismatch", `${found}; wanted ${quoted(wanted)}`)];
  const rules = policy === null ? [] : rulesFor(policy.document, policy.place);
  if (
    isKnownType(predicateType) ||
    rules.some(({ predicateTypes }) => predicateTypes.includes(predicateType))
  )
    return [];
  return [
    new Failure("predicate_type_mismatch", `${found}; waybill knows ${knownTypes().join(", ")}`, {
      hint: "say which type you want with --predicate-type",
    }),
  ];
}
