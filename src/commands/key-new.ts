import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { createKeyFile } from "../trust/key-file.ts";
import { formsOf, formsText } from "../trust/key-forms.ts";
import { askPassphrase, namedPassphrase, PASSPHRASE_FLAGS, type PassphraseFlags } from "./key-flags.ts";

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
    passphrase: { type: "boolean", description: "encrypt the private key with a passphrase that you type" },
    "passphrase-file": {
      ...PASSPHRASE_FLAGS["passphrase-file"],
      description: "encrypt the private key with the passphrase in this file",
    },
    "passphrase-fd": PASSPHRASE_FLAGS["passphrase-fd"],
  },
  examples: [
    "waybill key new --out release.key",
    "waybill key new --out release.key --passphrase",
    "waybill key new --out release.key --passphrase-file secret.txt",
  ],
  exits: ["interrupted", "terminated"],
  act: async (values, world) => {
    const passphrase = await newPassphrase(values, world);
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

async function newPassphrase(
  flags: PassphraseFlags & { readonly passphrase: boolean },
  world: World,
): Promise<Uint8Array | undefined> {
  if (!flags.passphrase) return namedPassphrase(flags, world);
  if (flags["passphrase-file"] !== undefined || flags["passphrase-fd"] !== undefined)
    throw new Failure("flags_contradict", "--passphrase asks for what another flag already names", {
      hint: "give one",
    });
  const typed = await askPassphrase("Passphrase of the new key: ", world);
  if (typed === undefined)
    throw new Failure("input_invalid", "--passphrase was given and there is no terminal to ask at", {
      hint: "pass --passphrase-file FILE or --passphrase-fd N",
    });
  if (typed.length === 0) throw new Failure("input_invalid", "the passphrase is empty");
  // Nobody sees what they type, and a key with a mistyped passphrase is lost.
  const again = await askPassphrase("Once more: ", world);
  if (again === undefined || Buffer.compare(typed, again) !== 0)
    throw new Failure("input_invalid", "the two passphrases differ", { hint: "run it again" });
  return typed;
}
