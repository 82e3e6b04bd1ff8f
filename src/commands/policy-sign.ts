import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { editFrom } from "../trust/edit-alone.ts";
import { isSignedPolicy, signPolicy, writePolicy } from "../trust/policy-file.ts";
import { protectFiles } from "../trust/public-output.ts";
import { readSigningKey, SIGNING_KEY_FLAGS, signingKeyFile } from "./key-flags.ts";
import { repositoryName } from "./policy-flags.ts";

export const policySign: Command = defineCommand({
  name: "sign",
  description: "sign a policy, or add a signature to a signed one",
  args: {
    file: {
      type: "positional",
      required: true,
      description: "the policy as JSON, or one that others signed",
    },
    ...SIGNING_KEY_FLAGS,
    out: {
      type: "string",
      valueHint: "FILE",
      description: "where it goes (policy.json becomes policy.signed.json, a signed one is replaced)",
    },
  },
  examples: [
    "waybill policy sign policy.json --key policy.key",
    "waybill policy sign policy.signed.json --key second.key",
  ],
  exits: ["auth", "untrusted", "protocol", "conflict", "interrupted", "terminated"],
  act: async (values, world) => {
    const key = await readSigningKey(values, world);
    const { file } = values;
    const isSigned = isSignedPolicy(file);
    const out = values.out ?? (isSigned ? file : `${file.replace(/\.json$/u, "")}.signed.json`);
    const keyFile = signingKeyFile(values);
    protectFiles(out, [...(isSigned ? [] : [file]), ...(keyFile === null ? [] : [keyFile])]);
    const { policy, envelope } = await editFrom(file, out, "policy", world.stop, () => {
      const signed = signPolicy(file, key, repositoryName);
      writePolicy(signed.envelope, out);
      return signed;
    });
    return {
      exit: EXIT.ok,
      document: {
        out,
        policy: policy.name,
        version: policy.version,
        expires_at: policy.expiresAt.toISOString(),
        rules: policy.rules.map(({ name }) => name),
        keyid: key.publicKey.keyid,
        signatures: envelope.signatures.length,
      },
      text: `${out}\n`,
    };
  },
});
