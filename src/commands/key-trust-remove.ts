import { defineCommand, type Command } from "../cli/command.ts";
import { removeKey } from "../trust/trust-root-change.ts";
import { SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { changeRoot, readThresholds, THRESHOLD_FLAG } from "./key-trust-flags.ts";

export const keyTrustRemove: Command = defineCommand({
  name: "remove",
  description: "forget a key: nothing that it signed counts any more (a stolen one: see revoke)",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    name: { type: "positional", required: true, description: "the key" },
    threshold: THRESHOLD_FLAG,
    ...SIGNING_KEY_FLAGS,
  },
  examples: ["waybill key trust remove trust.json ci-2025 --key root.key"],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const thresholds = readThresholds(values.threshold);
    return changeRoot(values.root, values, world, (root) => removeKey(root, values.name, thresholds));
  },
});
