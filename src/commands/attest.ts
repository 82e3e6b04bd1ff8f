import { isMap } from "../base/decode.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { readBounded } from "../host/files.ts";
import { captureStatement } from "../trust/attestation-capture.ts";
import {
  ATTESTATION_FORMATS,
  ATTESTATION_SUFFIX,
  writeAttestation,
  type AttestationFormat,
} from "../trust/attestation-file.ts";
import { readSubject, type ArtifactSubject } from "../trust/attestation-subject.ts";
import { signEnvelope } from "../trust/dsse.ts";
import { protectFiles } from "../trust/public-output.ts";
import { formatStatement, isTypeUri, STATEMENT_PAYLOAD_TYPE, type Statement } from "../trust/statement.ts";
import { readSigningKey, SIGNING_KEY_FLAGS, signingKeyFile } from "./key-flags.ts";

const FLAGS = {
  artifact: {
    type: "positional",
    required: false,
    description: "what it is about: a file, or sha256:HEX of an image; with --capture it may be left out",
  },
  capture: { type: "string", valueHint: "FILE", description: "the document of: waybill capture --json" },
  predicate: { type: "string", valueHint: "FILE", description: "what is said, as a JSON object" },
  "predicate-type": {
    type: "string",
    valueHint: "URI",
    description: "with --predicate: what kind of thing it is",
  },
  ...SIGNING_KEY_FLAGS,
  format: {
    type: "enum",
    options: [...ATTESTATION_FORMATS] as string[],
    default: "bundle",
    description:
      "bundle: Sigstore v0.3; dsse: the envelope alone; jsonl: one line more in a file of envelopes",
  },
  out: {
    type: "string",
    valueHint: "FILE",
    description: "where it goes (ARTIFACT.sigstore.json, .intoto.json or .intoto.jsonl)",
  },
} as const;

export const attest: Command = defineCommand({
  name: "attest",
  description: "sign a statement about an artifact, an image or a capture",
  args: FLAGS,
  examples: [
    "waybill attest context.tar.gz --capture capture.json --key release.key",
    "waybill attest sha256:… --capture capture.json --key-env RELEASE_KEY --out codex.sigstore.json",
    "waybill attest app --predicate sbom.json --predicate-type https://spdx.dev/Document --key release.key --format jsonl",
  ],
  exits: ["auth", "missing", "mismatch", "protocol", "conflict", "interrupted", "terminated"],
  act: attestAct,
});

async function attestAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const source = readSource(flags);
  const format = ATTESTATION_FORMATS.find((one) => one === flags.format) ?? "bundle";
  const artifact =
    flags.artifact === undefined ? null : await readSubject(flags.artifact, "ARTIFACT", world.stop);
  const out = flags.out ?? defaultOut(artifact, flags.capture, format);
  const keyFile = signingKeyFile(flags);
  protectFiles(
    out,
    [artifact?.file, source.file, keyFile].filter((file) => file !== null && file !== undefined),
  );
  const key = await readSigningKey(flags, world);
  const statement = makeStatement(source, artifact, world.now());
  const envelope = signEnvelope(key, STATEMENT_PAYLOAD_TYPE, formatStatement(statement));
  await writeAttestation(envelope, out, format, world.stop);
  return {
    exit: EXIT.ok,
    document: {
      out,
      format,
      predicate_type: statement.predicateType,
      keyid: key.publicKey.keyid,
      subjects: statement.subjects.map(({ name, digest }) => ({ name, digest: { ...digest } })),
    },
    text: `${out}\n`,
  };
}

type Source = { readonly file: string; readonly value: JsonValue; readonly predicateType: string | null };

/** What is going to be said; `predicateType` is null for a capture. */
function readSource(flags: Values<typeof FLAGS>): Source {
  const { capture, predicate, "predicate-type": predicateType } = flags;
  if (capture !== undefined) {
    const stray = predicate === undefined ? predicateType && "--predicate-type" : "--predicate";
    if (stray !== undefined)
      throw new Failure("flags_contradict", `--capture and ${stray} both say what is stated`, {
        hint: "give one",
      });
    return { file: capture, value: readJson(capture, "capture"), predicateType: null };
  }
  if (predicate === undefined || predicateType === undefined)
    throw new Failure(
      predicate === undefined && predicateType === undefined ? "nothing_named" : "flag_missing",
      "what is to be stated is not named",
      { hint: "pass --capture FILE, or --predicate FILE with --predicate-type URI" },
    );
  if (flags.artifact === undefined)
    throw new Failure("missing_argument", "ARTIFACT is missing: a predicate is about something", {
      hint: "name a file, or sha256:HEX of an image",
    });
  if (!isTypeUri(predicateType))
    throw new Failure("invalid_value", `--predicate-type is ${quoted(predicateType)}; wanted a URI`);
  return { file: predicate, value: readJson(predicate, "predicate"), predicateType };
}

function readJson(path: string, what: string): JsonValue {
  const bytes = readBounded(path, LIMITS.documentBytes, what);
  return parseJson(bytes, { what: `${what} ${quoted(path)}`, code: "input_invalid" });
}

function makeStatement(source: Source, artifact: ArtifactSubject | null, now: Date): Statement {
  const subject = artifact === null ? null : { name: artifact.name, digest: { sha256: artifact.sha256 } };
  if (source.predicateType === null) return captureStatement(source.value, subject, now);
  if (!isMap(source.value))
    throw new Failure("input_invalid", `predicate ${quoted(source.file)} is no JSON object`);
  return {
    subjects: subject === null ? [] : [subject],
    predicateType: source.predicateType,
    predicate: source.value,
  };
}

function defaultOut(
  artifact: ArtifactSubject | null,
  capture: string | undefined,
  format: AttestationFormat,
): string {
  const about = artifact === null ? (capture ?? "") : (artifact.file ?? `sha256-${artifact.sha256}`);
  return `${about}${ATTESTATION_SUFFIX[format]}`;
}
