import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { createKeyFile, readPassphrase } from "../trust/key-file.ts";
import { formsOf, formsText } from "../trust/key-forms.ts";

export const keyNew: Command = defineCommand({
  name: "new",
  description: "make an Ed25519 key: FILE (private, mode 0600) and FILE.pub",
  args: {
    out: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "the private key to write; must not exist",
    },
    "passphrase-file": {
      type: "string",
      valueHint: "FILE",
      description: "encrypt the private key with the passphrase in this file",
    },
  },
  examples: [
    "waybill key new --out release.key",
    "waybill key new --out release.key --passphrase-file secret.txt",
  ],
  exits: [],
  act: async (values, world) => {
    const passphraseFile = values["passphrase-file"];
    const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    if (passphrase !== undefined) world.secrets.register(new TextDecoder().decode(passphrase));
    const made = createKeyFile(values.out, passphrase);
    const forms = formsOf(made.publicKey);
    return {
      exit: EXIT.ok,
      document: {
        file: made.file,
        public_file: made.publicFile,
        encrypted: passphrase !== undefined,
        ...forms,
      },
      text: `${made.file}\n${made.publicFile}\n${formsText(forms)}`,
    };
  },
});
