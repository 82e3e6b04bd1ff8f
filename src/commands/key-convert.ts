import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { exposedOutput } from "../host/descriptors.ts";
import { randomBytes } from "../host/random.ts";
import { isKeyForm, KEY_FORMS, privateForm, publicForm, type KeyForm } from "../trust/key-conversion.ts";
import { inspectKey, writeKeyFile, type ShownKey } from "../trust/key-file.ts";
import { readKeyText, readPassphrase } from "../trust/key-text.ts";
import { PASSPHRASE_FLAGS, passphraseFor } from "./key-flags.ts";

export const keyConvert: Command = defineCommand({
  name: "convert",
  description: "write a key in the form of another tool: the public half, or with --private the private key",
  args: {
    file: { type: "positional", required: true, description: "a key in any form, or - for standard input" },
    to: { type: "enum", options: [...KEY_FORMS], required: true, description: "the form to write" },
    private: { type: "boolean", description: "write the private key: into a 0600 file or a pipe only" },
    out: {
      type: "string",
      valueHint: "FILE",
      description: "the file to write; must not exist (standard output)",
    },
    ...PASSPHRASE_FLAGS,
    "new-passphrase-file": {
      type: "string",
      valueHint: "FILE",
      description: "encrypt what is written (pkcs8, minisign) with the passphrase in this file",
    },
    seed: { type: "boolean", description: "FILE holds a private seed: 32 bytes, or their hex or base64" },
  },
  examples: [
    "waybill key convert release.key --to minisign > minisign.pub",
    "waybill key convert ~/.ssh/id_ed25519 --to pkcs8 --private --out release.key",
  ],
  exits: ["interrupted", "terminated"],
  act: async (values, world) => {
    const form: KeyForm = isKeyForm(values.to) ? values.to : "spki";
    const { out, "new-passphrase-file": newPassphraseFile } = values;
    if (!values.private && newPassphraseFile !== undefined)
      throw new Failure("flags_contradict", "--new-passphrase-file was given without --private");
    if (values.private && out === undefined) refuseExposedOutput();
    const read = readKeyText(values.file === "-" ? { descriptor: 0 } : { file: values.file });
    const found = inspectKey(read, values.seed, await passphraseFor(read, values, world));
    const newPassphrase =
      newPassphraseFile === undefined ? undefined : readPassphrase({ file: newPassphraseFile });
    const text = values.private ? privateText(found, form, newPassphrase) : publicForm(found.publicKey, form);
    if (out !== undefined) writeKeyFile(out, text, values.private ? "private" : "public");
    return {
      exit: EXIT.ok,
      document: {
        file: values.file,
        kind: values.private ? "private" : "public",
        form,
        keyid: found.publicKey.keyid,
        encrypted: newPassphrase !== undefined,
        out: out ?? null,
        ...(out === undefined ? { text } : {}),
      },
      text: out === undefined ? text : `${out}\n`,
    };
  },
});

function refuseExposedOutput(): void {
  const exposed = exposedOutput();
  if (exposed === null) return;
  throw new Failure("flags_contradict", `--private would write the private key to ${exposed}`, {
    hint: "pass --out FILE, which gets mode 0600, or write into a pipe",
  });
}

function privateText(found: ShownKey, form: KeyForm, newPassphrase: Uint8Array | undefined): string {
  if (found.kind === "public")
    throw new Failure("key_invalid", "--private was given and the key is a public one", {
      hint: "pass the file of the private key",
    });
  return privateForm(found.signingKey, form, randomBytes, newPassphrase);
}
