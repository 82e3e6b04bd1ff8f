import { defineCommand, type Command } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { rotateKey } from "../trust/trust-root-change.ts";
import { SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { changeRoot, readKeyName } from "./key-trust-flags.ts";

export const keyTrustRotate: Command = defineCommand({
  name: "rotate",
  description: "put a new key in the place of an old one; both are valid during the overlap",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    name: { type: "positional", required: true, description: "the key that ends" },
    "new-name": {
      type: "string",
      required: true,
      valueHint: "NAME",
      description: "what the new key is called",
    },
    "public-key": {
      type: "string",
      required: true,
      valueHint: "FILE|TEXT",
      description: "the new key, in any form",
    },
    overlap: {
      type: "string",
      default: "30d",
      valueHint: "30d",
      description: "how long the old key stays valid",
    },
    ...SIGNING_KEY_FLAGS,
  },
  examples: [
    "waybill key trust rotate trust.json ci-2026 --new-name ci-2027 --public-key ci-2027.key.pub --overlap 14d --key root.key",
  ],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const name = readKeyName(values["new-name"], "--new-name");
    const key = publicKeyArgument(values["public-key"], "--public-key");
    const overlap = parseDuration(values.overlap, "--overlap", { least: 0 });
    return changeRoot(values.root, values, world, (root, now) =>
      rotateKey(root, values.name, { name, key }, { from: now, until: new Date(now.getTime() + overlap) }),
    );
  },
});
