import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Json, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { readAttestations } from "../trust/attestation-file.ts";
import { mainRefusal } from "../trust/attestation-refusals.ts";
import { readSubject } from "../trust/attestation-subject.ts";
import { isTypeUri } from "../trust/statement.ts";
import {
  verifyAttestations,
  type AcceptedAttestation,
  type AttestationVerdict,
} from "../trust/verify-attestation.ts";
import { POLICY_FLAGS, TRUST_FLAGS } from "./evidence-flags.ts";
import { judgingTime } from "./judging-time.ts";
import { readPolicy, readTrusted, repositoryName } from "./policy-flags.ts";

const FLAGS = {
  file: {
    type: "positional",
    required: true,
    description: "a Sigstore bundle, a DSSE envelope, or a file with one on each line; - is standard input",
  },
  subject: {
    type: "string",
    required: true,
    valueHint: "FILE|sha256:HEX",
    description: "the artifact that it must be about",
  },
  "predicate-type": {
    type: "string",
    valueHint: "URI",
    description: "the kind of statement that is wanted (any that waybill knows)",
  },
  ...TRUST_FLAGS,
  ...POLICY_FLAGS,
  env: {
    type: "string",
    valueHint: "NAME",
    description: "with --policy: the environment (its rules for all)",
  },
  template: {
    type: "string",
    valueHint: "T",
    description: "with --policy: the template (its rules for all)",
  },
} as const;

export const verifyAttestation: Command = defineCommand({
  name: "attestation",
  description: "prove that somebody you trust signed a statement about this artifact",
  args: FLAGS,
  examples: [
    "waybill verify attestation app.sigstore.json --subject app --key release.key.pub",
    "waybill verify attestation codex.sigstore.json --subject sha256:… --trust trust.json --policy policy.signed.json --env prod",
  ],
  exits: ["policy", "untrusted", "missing", "mismatch", "protocol", "conflict", "interrupted", "terminated"],
  emptyDocument: { checked: 0, accepted: [], refusals: [] },
  act: verifyAttestationAct,
});

async function verifyAttestationAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  // The one reading of the clock: validity of keys and policy and the age of the statement are judged by it.
  const now = judgingTime(world);
  const predicateType = flags["predicate-type"] ?? null;
  if (predicateType !== null && !isTypeUri(predicateType))
    throw new Failure("invalid_value", `--predicate-type is ${quoted(predicateType)}; wanted a URI`);
  refuseStrayPlace(flags);
  if (flags.key.length === 0 && flags.trust === undefined && flags["policy-key"].length === 0)
    throw new Failure("flag_missing", "no key is named: a signature proves nothing by itself", {
      hint: "pass the signer's public key with --key, or a trust root with --trust",
    });
  const policy = readPolicy(flags, world, now);
  const subject = await readSubject(flags.subject, "--subject", world.stop);
  const name = flags.template ?? subject.name ?? `sha256:${subject.sha256}`;
  const trusted = readTrusted(flags, { name, sha256: subject.sha256 }, now);
  const place = { env: flags.env ?? null, template: flags.template ?? null };
  const verdict = verifyAttestations(readAttestations(flags.file), {
    subject: subject.sha256,
    predicateType,
    trusted: trusted ?? (() => null),
    policy: policy === null ? null : { document: policy, place, repositoryName },
    now,
  });
  for (const warning of verdict.accepted.flatMap(({ warnings }) => warnings)) world.say.warn(warning);
  for (const note of verdict.accepted.flatMap(({ unchecked }) => unchecked))
    world.say.warn(`not checked, counts for nothing: ${note}`);
  return report(verdict, subject.sha256);
}

function refuseStrayPlace(flags: Values<typeof FLAGS>): void {
  if (flags.policy === undefined && flags.env !== undefined)
    throw new Failure("flags_contradict", "--env was given without --policy, which it is for");
  if (flags.policy === undefined && flags.template !== undefined && flags.trust === undefined)
    throw new Failure(
      "flags_contradict",
      "--template was given without --policy or --trust, which it is for",
    );
}

function report(verdict: AttestationVerdict, sha256: string): Outcome {
  const proven = verdict.accepted.length > 0;
  const refusal = mainRefusal(verdict.refusals);
  const failed = !proven && refusal !== undefined;
  return {
    exit: proven ? EXIT.ok : (refusal?.exitCode ?? EXIT.missing),
    document: {
      subject: `sha256:${sha256}`,
      checked: verdict.checked,
      accepted: verdict.accepted.map(acceptedDocument),
      refusals: verdict.refusals.map(({ code, message }) => ({ code, message })),
      skipped_lines: verdict.skippedLines,
      ...(failed ? { error: refusal.toDocument() } : {}),
    },
    text: verdict.accepted.map(describe).join(""),
    // Beside one that holds, what is wrong with the others is for the document.
    failures: proven ? [] : verdict.refusals,
  };
}

function acceptedDocument(accepted: AcceptedAttestation): { readonly [name: string]: Json } {
  const { statement, subject, signers, format, unchecked, rules, warnings } = accepted;
  return {
    format,
    predicate_type: statement.predicateType,
    subject: { name: subject.name, digest: { ...subject.digest } },
    keyids: signers.map(({ keyid }) => keyid),
    predicate: statement.predicate,
    unchecked: [...unchecked],
    policy_rules: [...rules],
    warnings: [...warnings],
  };
}

function describe({ statement, subject, signers }: AcceptedAttestation): string {
  const name = subject.name === null ? "" : ` (${printable(subject.name, 200)})`;
  const keys = signers.map(({ keyid }) => keyid).join(", ");
  return `sha256:${subject.digest["sha256"]}${name}: ${printable(statement.predicateType)} by key ${keys}\n`;
}
