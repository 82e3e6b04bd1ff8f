import { EXIT } from "../base/exit-codes.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome } from "../cli/command.ts";
import {
  proveArtifact,
  type Accepted,
  type ArtifactVerdict,
  type SignatureClaim,
} from "../trust/artifact-proof.ts";
import { publicKeyArgument, signatureArgument } from "../trust/file-or-text.ts";

export const verifyArtifact: Command = defineCommand({
  name: "artifact",
  description: "prove that a file is the one with this digest, or the one that a key signed",
  args: {
    file: { type: "positional", required: true, description: "the file to prove, of any size" },
    sha256: { type: "string", valueHint: "HEX", description: "the SHA-256 that the file must have" },
    signature: {
      type: "string",
      valueHint: "FILE|TEXT",
      description: "a detached signature, or its hex or base64",
    },
    "signature-format": {
      type: "enum",
      options: ["raw"],
      description: "raw: pure Ed25519 over the bytes of the file (the default)",
    },
    key: {
      type: "string",
      repeat: true,
      valueHint: "FILE|TEXT",
      description: "an Ed25519 public key; any of several may have signed",
    },
  },
  examples: [
    "waybill verify artifact app.tar.gz --signature app.tar.gz.sig --key release.key.pub",
    'waybill verify artifact app.tar.gz --sha256 "$DIGEST"',
  ],
  exits: ["untrusted", "missing", "mismatch"],
  emptyDocument: { checked: 0, accepted: [], refusals: [] },
  act: async (values, world) => {
    const sha256 = values.sha256 === undefined ? null : digestArgument(values.sha256);
    const signature = signatureClaim(values.signature, values["signature-format"], values.key);
    if (sha256 === null && signature === null)
      throw new Failure("nothing_named", "nothing to hold the artifact against was named", {
        hint: "pass --sha256, or --signature with --key",
      });
    return report(values.file, await proveArtifact(values.file, { sha256, signature }, world.stop));
  },
});

function digestArgument(text: string): Sha256 {
  const found = text
    .trim()
    .toLowerCase()
    .replace(/^sha256:/u, "");
  if (isSha256(found)) return found;
  throw new Failure("invalid_value", `--sha256 is ${quoted(text)}; wanted 64 characters of hex`);
}

function signatureClaim(
  signature: string | undefined,
  format: string | undefined,
  keys: readonly string[],
): SignatureClaim | null {
  if (signature === undefined) {
    // Else somebody who forgot --signature would take a digest check for a signature check.
    const unused = keys.length > 0 ? "--key" : format === undefined ? undefined : "--signature-format";
    if (unused !== undefined)
      throw new Failure("flags_contradict", `${unused} was given without --signature, which it is for`);
    return null;
  }
  if (keys.length === 0)
    throw new Failure(
      "flag_missing",
      "--signature was given without --key: a signature proves nothing by itself",
      {
        hint: "pass the signer's public key with --key",
      },
    );
  return {
    keys: keys.map((key) => publicKeyArgument(key, "--key")),
    bytes: signatureArgument(signature, "--signature"),
  };
}

function report(file: string, verdict: ArtifactVerdict): Outcome {
  const [refusal] = verdict.refusals;
  return {
    exit: refusal === undefined ? EXIT.ok : refusal.exitCode,
    document: {
      file,
      bytes: verdict.size,
      sha256: verdict.sha256,
      checked: verdict.checked,
      accepted: verdict.accepted,
      refusals: verdict.refusals.map(({ code, message }) => ({ code, message })),
      ...(refusal === undefined ? {} : { error: refusal.toDocument() }),
    },
    text: refusal === undefined ? verdict.accepted.map((accepted) => line(file, accepted)).join("") : "",
    failures: verdict.refusals,
  };
}

function line(file: string, accepted: Accepted): string {
  return accepted.kind === "sha256"
    ? `${file}: sha256 ${accepted.sha256}\n`
    : `${file}: ${accepted.format} signature by key ${accepted.keyid}\n`;
}
