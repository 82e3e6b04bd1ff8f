import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { addonClaims, type AddonClaims } from "../../trust/attestation-addon.ts";
import { mergeEqual, parseAttestations } from "../../trust/attestation.ts";
import { addSignature, formatEnvelope, type Envelope } from "../../trust/dsse.ts";
import type { SigningKey } from "../../trust/signing-key.ts";
import { parseStatement } from "../../trust/statement.ts";
import { shownPlatform, type Platform } from "../assigned/platform.ts";
import { PublishClient, type Named } from "./publish-client.ts";
import { digestOf } from "./publish-proof.ts";
import type { Reach } from "../../stores/http-object.ts";

export type CoSignRequest = {
  readonly file: string;
  readonly id: string;
  readonly version: string;
  readonly platform: Platform;
  readonly reach: Reach;
  readonly controlPlane: URL;
  readonly token: string;
  readonly keys: readonly SigningKey[];
  readonly stop: AbortSignal;
};

export type CoSigned = {
  readonly published: Named;
  readonly size: number;
  readonly claims: AddonClaims;
  /** Signatures of the statement now, by whomever. */
  readonly signatures: number;
};

/**
 * Adds signatures to the statement that a published artifact came with, once it is seen to be about the very bytes of
 * a file: whoever signs has what is signed. Other signatures stay as they are; hosts judge them. Throws Failure.
 */
export async function coSign(request: CoSignRequest): Promise<CoSigned> {
  const { id, version, platform, controlPlane, token, reach, stop, keys } = request;
  const { sha256, size } = await digestOf(request.file, stop);
  const client = new PublishClient(controlPlane, token, reach, stop);
  const wanted = { id, version, platform };
  const found = await client.published(wanted);
  const what = `${quoted(id)} ${quoted(version)} for ${shownPlatform(platform)}`;
  if (found === null || found.statement === "") {
    throw new Failure("not_found", `${what} is not published with a statement that could be signed`, {
      hint: "publish it first, without --add-signature and with --key",
    });
  }
  if (found.sha256 !== sha256) {
    throw new Failure(
      "hash_mismatch",
      `${what} is published with sha256 ${quoted(found.sha256)}; the file has ${quoted(sha256)}`,
      {
        hint: "sign what you built yourself, or find out why it differs",
      },
    );
  }
  const { envelope, claims } = readStatement(found.statement, request, size, sha256);
  const signed = keys.reduce((before, key) => addSignature(key, before), envelope);
  const statement = formatEnvelope(signed);
  if (statement !== found.statement) await client.replaceStatement(wanted, statement);
  const after = await client.published(wanted);
  if (after?.statement !== statement) {
    throw new Failure("response_mismatch", `${what} does not carry the statement as it was signed now`, {
      hint: "somebody else may have signed at the same time; run again",
    });
  }
  return { published: after, size, claims, signatures: signed.signatures.length };
}

/** The one statement of an artifact, as far as it says what its next signer is told. */
function readStatement(
  text: string,
  { id, version, platform: { os, arch } }: CoSignRequest,
  size: number,
  sha256: string,
): { readonly envelope: Envelope; readonly claims: AddonClaims } {
  const from = `the statement of add-on ${quoted(id)}`;
  const { attestations, refusals } = parseAttestations(new TextEncoder().encode(text), from, false);
  const [only, ...more] = mergeEqual(attestations);
  if (only === undefined || more.length > 0) {
    throw refusals[0] ?? new Failure("statement_invalid", `${from} holds ${more.length + 1} statements`);
  }
  const statement = parseStatement(only.envelope.payload, from);
  const claims = addonClaims(statement);
  const isAbout = statement.subjects.some(({ digest }) => digest["sha256"] === sha256);
  const isSame =
    claims.addonId === id && claims.version === version && claims.os === os && claims.arch === arch;
  if (isAbout && isSame && claims.size === size) return { envelope: only.envelope, claims };
  throw new Failure(
    "statement_mismatch",
    `${from} is about something else than ${quoted(version)} of this file`,
    { hint: "publish it anew, without --add-signature" },
  );
}
