import { EXIT } from "../base/exit-codes.ts";
import { toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { loadSigningKey, readPassphrase, type SigningKeySource } from "../trust/key-file.ts";
import { isEncoding, signToFile } from "../trust/signature-file.ts";

export const sign: Command = defineCommand({
  name: "sign",
  description: "write a detached signature of a file",
  args: {
    file: { type: "positional", required: true, description: "the file to sign, of any size" },
    key: {
      type: "string",
      valueHint: "FILE",
      description: "the private key: PKCS#8 PEM, or a seed in hex or base64",
    },
    "key-env": {
      type: "string",
      valueHint: "VAR",
      description: "the environment variable that holds the private key",
    },
    "passphrase-file": {
      type: "string",
      valueHint: "FILE",
      description: "the passphrase of an encrypted private key",
    },
    format: {
      type: "enum",
      options: ["raw"],
      required: true,
      description: "raw: pure Ed25519 over the bytes of the file",
    },
    encoding: {
      type: "enum",
      options: ["base64", "hex", "binary"],
      default: "base64",
      description: "how a raw signature is written: a line of base64 or hex, or its 64 bytes",
    },
    out: { type: "string", valueHint: "FILE", description: "where the signature goes (FILE.sig)" },
  },
  examples: [
    "waybill sign app.tar.gz --key release.key --format raw",
    "waybill sign app.tar.gz --key-env RELEASE_KEY --format raw --encoding hex --out app.sig",
  ],
  exits: ["auth", "missing", "mismatch"],
  act: async (values, world) => {
    const source = keySource(values.key, values["key-env"], world);
    const passphraseFile = values["passphrase-file"];
    const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    if (passphrase !== undefined) world.secrets.register(new TextDecoder().decode(passphrase));
    const key = loadSigningKey(source, passphrase);
    const encoding = isEncoding(values.encoding) ? values.encoding : "base64";
    const out = values.out ?? `${values.file}.sig`;
    const protectedFiles = "file" in source ? [source.file] : [];
    const made = await signToFile(key, { file: values.file, out, encoding, protectedFiles }, world.stop);
    return {
      exit: EXIT.ok,
      document: {
        file: values.file,
        bytes: made.size,
        sha256: made.sha256,
        format: "raw",
        keyid: key.publicKey.keyid,
        out,
        encoding,
        signature: toBase64(made.signature),
      },
      text: `${out}\n`,
    };
  },
});

function keySource(file: string | undefined, variable: string | undefined, world: World): SigningKeySource {
  if (file !== undefined && variable !== undefined)
    throw new Failure("flags_contradict", "--key and --key-env both name the private key", {
      hint: "give one",
    });
  if (file !== undefined) return { file };
  if (variable === undefined)
    throw new Failure("flag_missing", "no private key is named", {
      hint: "pass --key FILE, or --key-env VAR with the name of a variable that holds the key",
    });
  const text = world.env[variable] ?? "";
  if (text.trim() === "")
    throw new Failure(
      "credential_missing",
      `the variable ${quoted(variable)} of --key-env is not set or is empty`,
    );
  world.secrets.register(text);
  return { text, from: `the key in ${quoted(variable)}` };
}
