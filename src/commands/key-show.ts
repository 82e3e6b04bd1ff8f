import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { inspectKey } from "../trust/key-file.ts";
import { formsOf, formsText } from "../trust/key-forms.ts";
import { readKeyText } from "../trust/key-text.ts";
import { PASSPHRASE_FLAGS, passphraseFor } from "./key-flags.ts";

export const keyShow: Command = defineCommand({
  name: "show",
  description: "show the public half of a key file in every form that other tools take",
  args: {
    file: {
      type: "positional",
      required: true,
      description: "a public or a private key, or - for standard input",
    },
    ...PASSPHRASE_FLAGS,
    seed: { type: "boolean", description: "FILE holds a private seed: 32 bytes, or their hex or base64" },
  },
  examples: ["waybill key show release.key.pub", "waybill key show release.key --json"],
  exits: ["interrupted", "terminated"],
  act: async (values, world) => {
    const read = readKeyText(values.file === "-" ? { descriptor: 0 } : { file: values.file });
    const { kind, publicKey } = inspectKey(read, values.seed, await passphraseFor(read, values, world));
    const forms = formsOf(publicKey);
    return { exit: EXIT.ok, document: { file: values.file, kind, ...forms }, text: formsText(forms) };
  },
});
