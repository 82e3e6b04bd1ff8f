import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { inspectKeyFile, readPassphrase } from "../trust/key-file.ts";
import { formsOf, formsText } from "../trust/key-forms.ts";

export const keyShow: Command = defineCommand({
  name: "show",
  description: "show the public half of a key file in every form that other tools take",
  args: {
    file: { type: "positional", required: true, description: "a public or a private key" },
    "passphrase-file": {
      type: "string",
      valueHint: "FILE",
      description: "the passphrase of an encrypted private key",
    },
    seed: { type: "boolean", description: "FILE holds a private seed: 32 bytes in hex or base64" },
  },
  examples: ["waybill key show release.key.pub", "waybill key show release.key --json"],
  exits: [],
  act: async (values, world) => {
    const passphraseFile = values["passphrase-file"];
    const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    if (passphrase !== undefined) world.secrets.register(new TextDecoder().decode(passphrase));
    const { kind, publicKey } = inspectKeyFile(values.file, values.seed, passphrase);
    const forms = formsOf(publicKey);
    return { exit: EXIT.ok, document: { file: values.file, kind, ...forms }, text: formsText(forms) };
  },
});
