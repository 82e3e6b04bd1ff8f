import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { createTrustRoot } from "../trust/trust-root-file.ts";
import { ROOT_ROLE } from "../trust/trust-root.ts";
import { EVERYTHING } from "../trust/trusted-key.ts";
import { readSigningKey, SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { readKeyName, rootDocument } from "./key-trust-flags.ts";

export const keyTrustInit: Command = defineCommand({
  name: "init",
  description: "make version 1 of a trust root, which its first root key signs",
  args: {
    root: { type: "positional", required: true, description: "the trust root to write; must not exist" },
    ...SIGNING_KEY_FLAGS,
    name: { type: "string", default: "root", valueHint: "NAME", description: "what the root key is called" },
  },
  examples: ["waybill key trust init trust.json --key root.key"],
  exits: ["auth", "untrusted", "interrupted", "terminated"],
  act: async (values, world) => {
    const name = readKeyName(values.name, "--name");
    const key = await readSigningKey(values, world);
    const root = {
      version: 1,
      keys: [
        {
          name,
          key: key.publicKey,
          roles: [ROOT_ROLE],
          scopes: [EVERYTHING],
          namespaces: null,
          validFrom: null,
          validUntil: null,
          revocation: null,
        },
      ],
      thresholds: {},
    };
    createTrustRoot(values.root, root, key);
    return {
      exit: EXIT.ok,
      document: { file: values.root, ...rootDocument(root) },
      text: `${values.root}: version 1\n`,
    };
  },
});
