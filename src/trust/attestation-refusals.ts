import type { Sha256 } from "../base/digest.ts";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { STATEMENT_PAYLOAD_TYPE, type Statement } from "./statement.ts";

/** What can be wrong with an attestation, in words. */

export function otherPayloadType(found: string): Failure {
  return new Failure(
    "payload_type_mismatch",
    `the payload type is ${quoted(found)}; wanted ${quoted(STATEMENT_PAYLOAD_TYPE)}`,
  );
}

export function otherSubject({ subjects }: Statement, wanted: Sha256): Failure {
  const digests = subjects.map(({ digest }) =>
    digest["sha256"] === undefined
      ? `no sha256, but ${Object.keys(digest).join(", ")}`
      : `sha256 ${digest["sha256"]}`,
  );
  const more = digests.length > 3 ? `, and ${digests.length - 3} more` : "";
  return new Failure(
    "subject_mismatch",
    `it is about another artifact: ${quoted(digests.slice(0, 3).join(", "), 400)}${more}; wanted sha256 ${wanted}`,
    { hint: "an attestation is matched by digest only; a name proves nothing" },
  );
}

/** The same refusal with the place where the attestation stood. */
export function inPlace(from: string, refusal: Failure): Failure {
  return new Failure(refusal.code, `${from}: ${refusal.message}`, refusal);
}

export function tooManyTrials(): Failure {
  return new Failure("evidence_too_large", "there are too many signatures and keys to try them all", {
    hint: "pass the attestations of this artifact alone, or fewer keys",
  });
}

export function nothingFound(skippedLines: number): Failure {
  const found = skippedLines === 0 ? "it is empty" : `none of its ${skippedLines} lines is an attestation`;
  return new Failure("no_evidence", `there is nothing to verify: ${found}`, {
    hint: "make an attestation with: waybill attest",
  });
}

/** The refusal that speaks for all: wrong evidence before a policy that it does not satisfy. Undefined for none. */
export function mainRefusal(refusals: readonly Failure[]): Failure | undefined {
  const first = (exit: ExitCode): Failure | undefined => refusals.find(({ exitCode }) => exitCode === exit);
  return first(EXIT.untrusted) ?? first(EXIT.policy) ?? refusals[0];
}
