import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Wanted } from "../assigned/ask.ts";
import { isLowered, keysDemanded, markAfterSigning } from "../on-host/signer-mark.ts";
import type { Spec, Specs } from "../on-host/spec.ts";
import type { Warning } from "../warning.ts";
import type { Facts } from "./next-step.ts";
import { isProvenByStatement } from "./release-signers.ts";

/** Whether an artifact is signed as it has to be; what was once signed by more never passes with less in silence. */
export function trustProblem(wanted: Wanted, facts: Facts): Failure | null {
  if (!facts.allowUnsigned && tooFew(facts)) return fewerThanBefore(facts);
  if (isProvenByStatement(facts.threshold, facts.stated)) return null;
  if (wanted.signature !== null) return facts.keys > 0 ? null : nobodyMaySign();
  if (facts.allowUnsigned) return null;
  const before = facts.signedBefore ? "; earlier ones of this add-on were signed" : "";
  return new Failure("unsigned", `the artifact has no signature${before}`, {
    hint: facts.signedBefore
      ? "a signature that vanished is how a downgrade looks; find out why before you allow it"
      : `sign it, or pass --allow-unsigned ${wanted.id}`,
  });
}

export function trustWarnings(wanted: Wanted, facts: Facts): Warning[] {
  const about = `add-on ${quoted(wanted.id)}`;
  const lowered: Warning[] = isLowered(facts.signerMark, facts)
    ? [
        {
          code: "threshold_lowered",
          message: `${about} needed ${facts.signerMark.keys} keys before; version ${facts.rootVersion} of the trust root asks for ${facts.threshold}`,
        },
      ]
    : [];
  if (tooFew(facts)) {
    const message = `${about} is signed by ${signersOf(facts)} of the wanted ${keysDemanded(facts.signerMark, facts)} keys; --allow-unsigned lets it pass`;
    return [...lowered, { code: "fewer_signers_allowed", message }];
  }
  if (wanted.signature !== null || isProvenByStatement(facts.threshold, facts.stated)) return lowered;
  return [
    ...lowered,
    facts.signedBefore
      ? {
          code: "unsigned_after_signed",
          message: `${about} was signed before and is not any more; --allow-unsigned lets it pass`,
        }
      : { code: "unsigned_allowed", message: `${about} is not signed; --allow-unsigned lets it pass` },
  ];
}

/** The specs with what this host asks for from now on, once `spec` was verified: before it is shown to anybody. */
export function withSignerMark(specs: Specs, facts: Facts, spec: Spec): Specs {
  const signers = spec.stated?.signers.length ?? (spec.keyid === undefined ? 0 : 1);
  const mark = markAfterSigning(facts.signerMark, facts, signers);
  return mark === facts.signerMark ? specs : { ...specs, signer_mark: mark };
}

/** One signature over the bytes is what a demand for one key has always been about. */
function tooFew(facts: Facts): boolean {
  const wanted = keysDemanded(facts.signerMark, facts);
  return wanted > 1 && signersOf(facts) < wanted;
}

function signersOf({ stated }: Facts): number {
  return stated?.signers.length ?? 0;
}

function fewerThanBefore(facts: Facts): Failure {
  const wanted = keysDemanded(facts.signerMark, facts);
  const found = `${signersOf(facts)} of the wanted ${wanted} keys signed a statement about the artifact`;
  if (facts.threshold >= wanted) {
    return new Failure("threshold_not_met", `${found}: none came with it`, {
      hint: "publish it with a signed statement: waybill addon publish --key ONE --key OTHER",
    });
  }
  const message = `${found}; so many signed earlier ones of this add-on, and this run asks for ${facts.threshold}`;
  return new Failure("threshold_not_met", message, {
    hint: "only a newer version of the trust root that asked for so many lets fewer pass",
  });
}

function nobodyMaySign(): Failure {
  return new Failure(
    "signature_invalid",
    "the artifact is signed and there is no key that may sign this add-on",
    {
      hint: "pass --key with the release key, or --trust with a root that has a key in the role addon for it",
    },
  );
}
