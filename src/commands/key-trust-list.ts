import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { keyDocument } from "../trust/trust-root-document.ts";
import { loadTrust } from "../trust/trust-source.ts";
import type { TrustedKey } from "../trust/trusted-key.ts";

export const keyTrustList: Command = defineCommand({
  name: "list",
  description: "who is trusted with what",
  args: { root: { type: "positional", required: true, description: "a trust root, or allowed signers" } },
  examples: ["waybill key trust list trust.json", "waybill key trust list ~/.ssh/allowed_signers --json"],
  exits: ["untrusted"],
  act: async (values, world) => {
    const { kind, root, skipped } = loadTrust(values.root, null);
    const now = world.now();
    const keys = root.keys.map((one) => ({ ...keyDocument(one), state: stateOf(one, now) }));
    const lines = root.keys.map(
      (one) =>
        `${printable(one.name)}  ${stateOf(one, now)}  ${one.roles?.join(",") ?? "any role"}  ${one.scopes.join(",")}  ${one.key.keyid}\n`,
    );
    for (const reason of skipped) world.say.warn(printable(reason));
    return {
      exit: EXIT.ok,
      document: {
        file: values.root,
        kind,
        version: root.version,
        thresholds: { ...root.thresholds },
        keys,
        skipped,
      },
      text: `version ${root.version}\n${lines.join("")}`,
    };
  },
});

function stateOf(one: TrustedKey, now: Date): "revoked" | "expired" | "not_yet_valid" | "valid" {
  if (one.revocation !== null) return "revoked";
  if (one.validFrom !== null && now < one.validFrom) return "not_yet_valid";
  return one.validUntil !== null && now > one.validUntil ? "expired" : "valid";
}
