import { isSha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { parseInstant } from "../cli/instants.ts";
import { revokeKey } from "../trust/trust-root-change.ts";
import { SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { changeRoot } from "./key-trust-flags.ts";

export const keyTrustRevoke: Command = defineCommand({
  name: "revoke",
  description: "refuse a key that somebody else may have, but for what is listed as still trusted",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    name: { type: "positional", required: true, description: "the key" },
    at: { type: "string", valueHint: "INSTANT", description: "when it was lost, for the record (now)" },
    reason: { type: "string", valueHint: "TEXT", description: "why, for the record" },
    "still-trusted": {
      type: "string",
      repeat: true,
      valueHint: "sha256:HEX",
      description: "an artifact that it signed and that is known to be good",
    },
    ...SIGNING_KEY_FLAGS,
  },
  examples: [
    'waybill key trust revoke trust.json ci-2026 --reason "runner was compromised" --still-trusted sha256:… --key root.key',
  ],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const at = values.at === undefined ? null : parseInstant(values.at, "--at");
    const stillTrusted = values["still-trusted"].map((text) => {
      const hex = text.replace(/^sha256:/u, "");
      if (isSha256(hex)) return hex;
      throw new Failure(
        "invalid_value",
        `--still-trusted is ${quoted(text)}; wanted sha256:<64 lower-case hex>`,
      );
    });
    const { reason = null } = values;
    return changeRoot(values.root, values, world, (root, now) =>
      revokeKey(root, values.name, { at: at ?? now, reason, stillTrusted }),
    );
  },
});
