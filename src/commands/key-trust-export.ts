import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { formatAllowedSigners } from "../trust/allowed-signers.ts";
import { exportKeys } from "../trust/key-folder.ts";
import { loadTrustRoot } from "../trust/trust-root-file.ts";
import { writePublicOutput } from "../trust/public-output.ts";
import { distrustNamespace, EVERYTHING, stateOf } from "../trust/trusted-key.ts";
import { judgingTime } from "./judging-time.ts";

const FORMS: string[] = ["allowed-signers", "pem", "minisign"];

export const keyTrustExport: Command = defineCommand({
  name: "export",
  description: "the keys of a trust root for ssh-keygen, openssl or minisign; never a revoked one",
  args: {
    root: { type: "positional", required: true, description: "the trust root" },
    to: {
      type: "enum",
      options: FORMS,
      required: true,
      description: "allowed-signers is one file, the others are folders",
    },
    role: { type: "string", valueHint: "ROLE", description: "only keys with this role" },
    out: {
      type: "string",
      valueHint: "FILE|DIR",
      description: "where to write: a file (standard output), or an existing folder",
    },
  },
  examples: [
    "waybill key trust export trust.json --to allowed-signers --role build > allowed_signers",
    "waybill key trust export trust.json --to pem --out keys/",
  ],
  exits: ["untrusted", "missing", "protocol"],
  act: async (values, world) => {
    const { out, role, to } = values;
    const now = judgingTime(world);
    const { root } = loadTrustRoot(values.root);
    const keys = root.keys.filter(
      (one) =>
        stateOf(one, now) !== "revoked" &&
        (role === undefined || one.roles === null || one.roles.includes(role)) &&
        // A file of one key cannot say until when it is valid, nor for what, so it holds only what is valid now.
        (to === "allowed-signers" ||
          (distrustNamespace(one, null) === null && stateOf(one, now) === "valid")),
    );
    if (keys.length === 0)
      throw new Failure("nothing_checked", "no key of the trust root is left to export", {
        hint: "see: waybill key trust list ROOT",
      });
    for (const { name, scopes } of keys)
      if (!scopes.includes(EVERYTHING))
        world.say.warn(
          `key ${quoted(name)} is trusted for ${scopes.join(", ")} alone, which ${to} cannot say`,
        );
    const exported = keys.map(({ name }) => name);
    if (to === "allowed-signers") {
      const text = formatAllowedSigners(keys);
      if (out !== undefined) writePublicOutput(out, text);
      return {
        exit: EXIT.ok,
        document: {
          file: values.root,
          keys: exported,
          written: out === undefined ? [] : [out],
          ...(out === undefined ? { text } : {}),
        },
        text: out === undefined ? text : `${out}\n`,
      };
    }
    if (out === undefined)
      throw new Failure(
        "flag_missing",
        `--to ${to} needs --out with an existing folder, one file for each key`,
      );
    const written = exportKeys(out, keys, to === "pem" ? "spki" : "minisign");
    return {
      exit: EXIT.ok,
      document: { file: values.root, keys: exported, written },
      text: written.map((path) => `${path}\n`).join(""),
    };
  },
});
