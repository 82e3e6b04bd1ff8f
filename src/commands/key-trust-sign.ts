import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { loadTrustRoot, signDraft } from "../trust/trust-root-file.ts";
import { editAlone } from "../trust/edit-alone.ts";
import { readSigningKey, SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { rootDocument } from "./key-trust-flags.ts";

export const keyTrustSign: Command = defineCommand({
  name: "sign",
  description: "add a signature to the next version of a trust root",
  args: {
    draft: { type: "positional", required: true, description: "the draft: ROOT.next" },
    root: {
      type: "string",
      valueHint: "ROOT",
      description: "the root that it replaces, when KEY is a root key of that one only",
    },
    ...SIGNING_KEY_FLAGS,
  },
  examples: ["waybill key trust sign trust.json.next --key bob.key"],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const key = await readSigningKey(values, world);
    const held = values.root === undefined ? null : loadTrustRoot(values.root);
    const root = await editAlone(values.draft, "trust root", world.stop, () =>
      signDraft(values.draft, held, key),
    );
    return {
      exit: EXIT.ok,
      document: { file: values.draft, keyid: key.publicKey.keyid, ...rootDocument(root) },
      text: `${values.draft}: version ${root.version}, signed by key ${key.publicKey.keyid}\n`,
    };
  },
});
