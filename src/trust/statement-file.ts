import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { mergeEqual } from "./attestation.ts";
import { readAttestations } from "./attestation-file.ts";
import { addSignature, formatEnvelope, type Envelope } from "./dsse.ts";
import { isSameFile, writePublicOutput } from "./public-output.ts";
import type { SigningKey } from "./signing-key.ts";
import { parseStatement, STATEMENT_PAYLOAD_TYPE, type Statement } from "./statement.ts";

/**
 * Writes the one signed statement of a file to `out`, with one signature more. Whatever else may be signed in an
 * envelope (a trust root, a policy) has a command of its own that reads it first. Throws Failure.
 */
export function signStatement(
  file: string,
  out: string,
  key: SigningKey,
): { readonly statement: Statement; readonly envelope: Envelope } {
  const from = quoted(file);
  const { attestations, refusals, skippedLines } = readAttestations(file);
  const [only, ...more] = mergeEqual(attestations);
  if (refusals[0] !== undefined) throw refusals[0];
  if (only === undefined || more.length > 0) {
    const found = only === undefined ? "no signed statement" : `${more.length + 1} signed statements`;
    throw new Failure("attestation_malformed", `${from} holds ${found}; wanted one`, {
      hint: "make one with: waybill attest --format dsse",
    });
  }
  const inPlace = isSameFile(file, out);
  if (inPlace && skippedLines > 0) {
    throw new Failure(
      "flag_missing",
      `${from} has ${skippedLines} lines of another kind, which would be lost`,
      {
        hint: "name a file for the signed statement alone: --out FILE.intoto.json",
      },
    );
  }
  if (inPlace && only.format === "bundle") {
    throw new Failure("flag_missing", `${from} is a Sigstore bundle, which holds one signature`, {
      hint: "name a file for the envelope of both: --out FILE.intoto.json",
    });
  }
  if (only.envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) {
    throw new Failure(
      "payload_type_mismatch",
      `${from} is of the type ${quoted(only.envelope.payloadType)}; wanted ${quoted(STATEMENT_PAYLOAD_TYPE)}`,
      { hint: "trust roots are signed with: waybill key trust sign, policies with: waybill policy sign" },
    );
  }
  const statement = parseStatement(only.envelope.payload, from);
  const envelope = addSignature(key, only.envelope);
  writePublicOutput(out, `${formatEnvelope(envelope)}\n`);
  return { statement, envelope };
}
