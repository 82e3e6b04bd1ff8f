import { defineCommand, type Command } from "../cli/command.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { addKeys } from "../trust/trust-root-change.ts";
import { SIGNING_KEY_FLAGS } from "./key-flags.ts";
import {
  changeRoot,
  readKeyName,
  readThresholds,
  readTrustedWith,
  THRESHOLD_FLAG,
  TRUSTED_WITH_FLAGS,
} from "./key-trust-flags.ts";

export const keyTrustAdd: Command = defineCommand({
  name: "add",
  description: "trust one key more: the next version of a trust root",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    name: { type: "string", required: true, valueHint: "NAME", description: "what the new key is called" },
    "public-key": {
      type: "string",
      required: true,
      valueHint: "FILE|TEXT",
      description: "the new key, in any form",
    },
    ...TRUSTED_WITH_FLAGS,
    threshold: THRESHOLD_FLAG,
    ...SIGNING_KEY_FLAGS,
  },
  examples: [
    "waybill key trust add trust.json --name ci-2026 --public-key ci.key.pub --role build --scope 'app-*' --until 2027-06-30 --key root.key",
    "waybill key trust add trust.json --name bob --public-key bob.pub --role root --threshold root=2 --key root.key",
  ],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const added = {
      name: readKeyName(values.name, "--name"),
      key: publicKeyArgument(values["public-key"], "--public-key"),
      ...readTrustedWith(values),
    };
    const thresholds = readThresholds(values.threshold);
    return changeRoot(values.root, values, world, (root) => addKeys(root, [added], thresholds));
  },
});
