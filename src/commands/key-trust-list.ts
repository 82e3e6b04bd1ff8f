import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { alignedLines } from "../cli/table.ts";
import { keyDocument } from "../trust/trust-root-document.ts";
import { readDraft } from "../trust/trust-root-file.ts";
import type { TrustRoot } from "../trust/trust-root.ts";
import { loadTrust } from "../trust/trust-source.ts";
import { stateOf, type TrustedKey } from "../trust/trusted-key.ts";
import { judgingTime } from "./judging-time.ts";

export const keyTrustList: Command = defineCommand({
  name: "list",
  description: "who is trusted with what",
  args: {
    root: { type: "positional", required: true, description: "a trust root, or allowed signers" },
    draft: { type: "boolean", description: "ROOT is a draft: show it before it is signed by enough keys" },
  },
  examples: [
    "waybill key trust list trust.json",
    "waybill key trust list trust.json.next --draft",
    "waybill key trust list ~/.ssh/allowed_signers --json",
  ],
  exits: ["untrusted", "protocol"],
  act: async (values, world) => {
    const now = judgingTime(world);
    const { kind, root, skipped, signers } = read(values.root, values.draft);
    for (const reason of skipped) world.say.warn(printable(reason));
    const thresholds = Object.entries(root.thresholds).map(
      ([role, count]) => `, ${role} needs ${count} keys`,
    );
    const signedBy = signers === null ? "" : `, a draft that ${signers.length} of its root keys signed`;
    return {
      exit: EXIT.ok,
      document: {
        file: values.root,
        kind,
        version: root.version,
        thresholds: { ...root.thresholds },
        // A list without a role would say the opposite of every role.
        keys: root.keys.map((one) => ({ ...keyDocument(one), roles: one.roles, state: stateOf(one, now) })),
        skipped,
        ...(signers === null ? {} : { signed_by: signers }),
      },
      text: `version ${root.version}${thresholds.join("")}${signedBy}\n${alignedLines(root.keys.map((one) => cellsOf(one, now)))}`,
    };
  },
});

type Listed = {
  readonly kind: string;
  readonly root: TrustRoot;
  readonly skipped: readonly string[];
  /** The keyids that signed a draft; null for what is trusted already. */
  readonly signers: readonly string[] | null;
};

function read(path: string, draft: boolean): Listed {
  if (!draft) return { ...loadTrust(path, null), signers: null };
  const { root, signers } = readDraft(path);
  return { kind: "draft", root, skipped: [], signers: signers.map(({ keyid }) => keyid) };
}

function cellsOf(one: TrustedKey, now: Date): string[] {
  const until = one.validUntil === null ? [] : [`until ${one.validUntil.toISOString()}`];
  const roles = one.roles?.join(",") ?? "any role";
  return [printable(one.name), stateOf(one, now), roles, one.scopes.join(","), one.key.keyid, ...until];
}
