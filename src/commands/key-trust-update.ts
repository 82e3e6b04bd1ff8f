import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { loadTrustRoot, updateTrustRoot } from "../trust/trust-root-file.ts";
import { editAlone } from "../trust/edit-alone.ts";
import { judgingTime } from "./judging-time.ts";
import { rootDocument } from "./key-trust-flags.ts";

export const keyTrustUpdate: Command = defineCommand({
  name: "update",
  description:
    "put a newer trust root in the place of the one that is held, when the held one's root keys signed it",
  args: {
    root: { type: "positional", required: true, description: "the trust root that is held" },
    newer: { type: "positional", required: true, description: "the newer one, or its signed draft" },
  },
  examples: [
    "waybill key trust update /etc/waybill/trust.json downloaded.json",
    "waybill key trust update trust.json trust.json.next",
  ],
  exits: ["untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const now = judgingTime(world);
    const next = await editAlone(values.root, "trust root", world.stop, () =>
      updateTrustRoot(values.root, values.newer, now),
    );
    const { root } = next ?? loadTrustRoot(values.root);
    return {
      exit: EXIT.ok,
      document: {
        file: values.root,
        outcome: next === null ? "unchanged" : "updated",
        ...rootDocument(root),
      },
      text: `${values.root}: version ${root.version}${next === null ? ", unchanged" : ""}\n`,
    };
  },
});
