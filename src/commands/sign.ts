import { EXIT } from "../base/exit-codes.ts";
import { toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { signDetached, type DetachedFormat } from "../trust/detached-signer.ts";
import { protectFiles, writePublicOutput } from "../trust/public-output.ts";
import { encodeRawSignature, isEncoding } from "../trust/signature-file.ts";
import { signFile } from "../trust/signer.ts";
import type { SigningKey } from "../trust/signing-key.ts";
import { DEFAULT_NAMESPACE, isNamespace } from "../trust/sshsig.ts";
import { readSigningKey, SIGNING_KEY_FLAGS, signingKeyFile } from "./key-flags.ts";

const FORMATS: string[] = ["minisign", "ssh", "raw", "dsse"];
const ENCODINGS: string[] = ["base64", "hex", "binary"];

const FLAGS = {
  file: { type: "positional", required: true, description: "the file to sign, of any size" },
  ...SIGNING_KEY_FLAGS,
  format: {
    type: "enum",
    options: FORMATS,
    required: true,
    description:
      "minisign (prehashed), ssh (ssh-keygen -Y), raw (pure Ed25519 over the bytes of the file), dsse (one signature more on a signed statement)",
  },
  namespace: {
    type: "string",
    valueHint: "N",
    description: `with --format ssh: what the signature is for (${DEFAULT_NAMESPACE})`,
  },
  encoding: {
    type: "enum",
    options: ENCODINGS,
    description: "with --format raw: a line of base64 (the default) or hex, or the 64 bytes",
  },
  out: {
    type: "string",
    valueHint: "FILE",
    description: "where the signature goes (FILE.sig; FILE.minisig for minisign; FILE itself for dsse)",
  },
} as const;

export const sign: Command = defineCommand({
  name: "sign",
  description: "write a detached signature of a file",
  args: FLAGS,
  examples: [
    "waybill sign app.tar.gz --key release.key --format minisign",
    "waybill sign app.tar.gz --key-env RELEASE_KEY --format ssh --namespace file",
    "waybill sign app.tar.gz --key release.key --format raw --encoding hex --out app.sig",
    "waybill sign app.intoto.json --key second.key --format dsse",
  ],
  exits: ["auth", "missing", "untrusted", "mismatch", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const { file, format } = values;
    refuseStrayFlags(values);
    if (format === "dsse") return addToStatement(values, world);
    const namespace = readNamespace(values.namespace);
    const out = values.out ?? `${file}.${format === "minisign" ? "minisig" : "sig"}`;
    const key = await readSigningKey(values, world);
    const keyFile = signingKeyFile(values);
    protectFiles(out, keyFile === null ? [file] : [file, keyFile]);
    const made = await makeSignature(key, { ...values, namespace }, world);
    writePublicOutput(out, made.content);
    return {
      exit: EXIT.ok,
      document: {
        file,
        bytes: made.size,
        sha256: made.sha256,
        format,
        keyid: key.publicKey.keyid,
        out,
        ...(format === "raw" ? { encoding: values.encoding ?? "base64" } : {}),
        ...(format === "ssh" ? { namespace } : {}),
        signature: made.signature,
      },
      text: `${out}\n`,
    };
  },
});

/** One signature more on a statement that somebody signed; what it says is in the document, for whoever signs. */
async function addToStatement(values: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const { file, out = file } = values;
  if (out === "-") {
    throw new Failure("flag_missing", "the statement comes on standard input; --out says where it goes");
  }
  const key = await readSigningKey(values, world);
  const keyFile = signingKeyFile(values);
  protectFiles(out, keyFile === null ? [] : [keyFile]);
  const [{ signStatement }, { editFrom }] = await Promise.all([
    import("../trust/statement-file.ts"),
    import("../trust/edit-alone.ts"),
  ]);
  const { statement, envelope } = await editFrom(file, out, "statement", world.stop, () =>
    signStatement(file, out, key),
  );
  return {
    exit: EXIT.ok,
    document: {
      file,
      format: "dsse",
      keyid: key.publicKey.keyid,
      out,
      predicate_type: statement.predicateType,
      subjects: statement.subjects.map(({ name, digest }) => ({ name, digest: { ...digest } })),
      signatures: envelope.signatures.length,
    },
    text: `${out}\n`,
  };
}

function refuseStrayFlags(values: Values<typeof FLAGS>): void {
  const { format, namespace, encoding } = values;
  const stray =
    namespace !== undefined && format !== "ssh"
      ? "--namespace goes with --format ssh"
      : encoding !== undefined && format !== "raw"
        ? "--encoding goes with --format raw"
        : null;
  if (stray !== null)
    throw new Failure("flags_contradict", `${stray}, and --format is ${format}`, { hint: "leave it out" });
}

function readNamespace(text: string | undefined): string {
  if (text === undefined) return DEFAULT_NAMESPACE;
  if (isNamespace(text)) return text;
  throw new Failure(
    "invalid_value",
    `--namespace is ${quoted(text)}; wanted one word of ASCII without quotes and commas`,
  );
}

type Made = {
  readonly content: Uint8Array | string;
  readonly signature: string;
  readonly sha256: string;
  readonly size: number;
};

async function makeSignature(
  key: SigningKey,
  wanted: Values<typeof FLAGS> & { readonly namespace: string },
  world: World,
): Promise<Made> {
  const { file, format, namespace, encoding } = wanted;
  if (format === "raw") {
    const made = await signFile(key, file, world.stop);
    const spelling = encoding !== undefined && isEncoding(encoding) ? encoding : "base64";
    const content = encodeRawSignature(made.signature, spelling);
    return { ...made, content, signature: toBase64(made.signature) };
  }
  const how: DetachedFormat =
    format === "minisign" ? { format: "minisign", now: world.now() } : { format: "ssh", namespace };
  const made = await signDetached(key, file, how, world.stop);
  return { ...made, content: made.text };
}
