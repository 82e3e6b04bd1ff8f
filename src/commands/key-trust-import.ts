import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { importAllowedSigners, importPublicKeys } from "../trust/key-folder.ts";
import { addKeys } from "../trust/trust-root-change.ts";
import { SIGNING_KEY_FLAGS } from "./key-flags.ts";
import {
  changeRoot,
  readThresholds,
  readTrustedWith,
  THRESHOLD_FLAG,
  TRUSTED_WITH_FLAGS,
} from "./key-trust-flags.ts";

export const keyTrustImport: Command = defineCommand({
  name: "import",
  description: "trust the keys that other tools trust: the next version of a trust root",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    keys: {
      type: "string",
      valueHint: "FILE|DIR",
      description: "a public key, or a folder of .pem and .pub files (PEM, OpenSSH, minisign, signify)",
    },
    "allowed-signers": {
      type: "string",
      valueHint: "FILE",
      description: "a file of ssh-keygen, with its namespaces and times",
    },
    ...TRUSTED_WITH_FLAGS,
    threshold: THRESHOLD_FLAG,
    ...SIGNING_KEY_FLAGS,
  },
  examples: [
    "waybill key trust import trust.json --allowed-signers ~/.ssh/allowed_signers --role build --key root.key",
    "waybill key trust import trust.json --keys keys/ --role addon --key root.key",
  ],
  exits: ["auth", "untrusted", "missing", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const { keys: folder, "allowed-signers": signers } = values;
    if ((folder === undefined) === (signers === undefined))
      throw new Failure(
        folder === undefined ? "flag_missing" : "flags_contradict",
        "wanted either --keys or --allowed-signers",
      );
    const trusted = readTrustedWith(values);
    const thresholds = readThresholds(values.threshold);
    const found = signers === undefined ? importPublicKeys(folder ?? "") : importAllowedSigners(signers);
    for (const reason of found.skipped) world.say.warn(reason);
    if (found.keys.length === 0)
      throw new Failure("nothing_checked", `${quoted(folder ?? signers ?? "")} holds no Ed25519 key`);
    const added = found.keys.map((one) => ({
      ...trusted,
      ...one,
      // A window on the command line is for keys that have none of their own.
      validFrom: one.validFrom ?? trusted.validFrom,
      validUntil: one.validUntil ?? trusted.validUntil,
    }));
    return changeRoot(values.root, values, world, (root) => addKeys(root, added, thresholds));
  },
});
