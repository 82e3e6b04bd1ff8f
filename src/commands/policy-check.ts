import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome } from "../cli/command.ts";
import { rulesFor } from "../trust/policy-decision.ts";
import type { VerifiedPolicy } from "../trust/policy.ts";
import { TRUST_FLAGS } from "./evidence-flags.ts";
import { judgingTime } from "./judging-time.ts";
import { openPolicyFile } from "./policy-flags.ts";

export const policyCheck: Command = defineCommand({
  name: "check",
  description: "prove that a policy is signed and valid now, and show which rules apply",
  args: {
    file: { type: "positional", required: true, description: "the signed policy" },
    key: { ...TRUST_FLAGS.key, description: "a public key that may sign the policy; any of several" },
    trust: { ...TRUST_FLAGS.trust, description: "a trust root: its keys in the role policy count" },
    "trust-state": TRUST_FLAGS["trust-state"],
    "policy-state": {
      type: "string",
      valueHint: "FILE",
      description: "remembers the newest version seen here, and refuses older ones",
    },
    env: { type: "string", valueHint: "NAME", description: "only the rules for this environment" },
    template: { type: "string", valueHint: "T", description: "only the rules for this template" },
  },
  examples: ["waybill policy check policy.signed.json --key policy.key.pub --env prod --template codex"],
  exits: ["policy", "untrusted", "missing", "protocol", "conflict"],
  emptyDocument: { checked: 0, rules: [] },
  act: async (values, world) => {
    const { key, trust, file: policy } = values;
    const none = { threshold: undefined, role: undefined };
    const flags = {
      ...none,
      key,
      "trust-state": values["trust-state"],
      trust,
      policy,
      "policy-key": [],
      "policy-state": values["policy-state"],
    };
    const opened = openPolicyFile(values.file, flags, judgingTime(world));
    if (!opened.ok) return refused(opened.refusals);
    const place = { env: values.env ?? null, template: values.template ?? null };
    return shown(opened.policy, rulesFor(opened.policy, place), values.file);
  },
});

function refused(refusals: readonly Failure[]): Outcome {
  const [first] = refusals;
  return {
    exit: first?.exitCode ?? EXIT.untrusted,
    document: {
      checked: 1,
      rules: [],
      refusals: refusals.map(({ code, message }) => ({ code, message })),
      ...(first === undefined ? {} : { error: first.toDocument() }),
    },
    text: "",
    failures: refusals,
  };
}

function shown(policy: VerifiedPolicy, rules: VerifiedPolicy["rules"], file: string): Outcome {
  const uncovered =
    rules.length > 0
      ? null
      : new Failure(
          "policy_denied",
          `policy ${quoted(file)} has no rule for this place, so it allows nothing there`,
        );
  const lines = rules.map(({ name, level }) => `  ${level.padEnd(8)} ${printable(name)}\n`).join("");
  return {
    exit: uncovered?.exitCode ?? EXIT.ok,
    document: {
      checked: 1,
      policy: policy.name,
      version: policy.version,
      issued_at: policy.issuedAt.toISOString(),
      expires_at: policy.expiresAt.toISOString(),
      keyids: policy.signers.map(({ keyid }) => keyid),
      rules: rules.map(({ name, level }) => ({ name, level })),
      ...(uncovered === null ? {} : { error: uncovered.toDocument() }),
    },
    text: `${printable(policy.name)} version ${policy.version}, valid until ${policy.expiresAt.toISOString()}\n${lines}`,
    failures: uncovered === null ? [] : [uncovered],
  };
}
