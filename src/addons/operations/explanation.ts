import type { JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/printable.ts";
import { NOTHING_SAID, type Assignment } from "../assigned/assignment.ts";
import type { HostList } from "../assigned/host-list.ts";
import { keysDemanded } from "../on-host/signer-mark.ts";
import type { Planned } from "./plan.ts";

/** One member of an assignment and who said it. Values that may be secret are only said to be there. */
type ExplainedField = { readonly value: JsonValue; readonly from: "assigned" | "override" | "default" };

export type Explanation = {
  readonly fields: Readonly<Record<string, ExplainedField>>;
  /** What the assignment asks for, by itself. */
  readonly ask: string;
  /** What was found on the host. */
  readonly host: Readonly<Record<string, JsonValue>> | null;
  readonly decision: string;
  readonly reasons: readonly string[];
};

const SECRET = new Set(["download_token", "config_json", "download_url"]);

export function explain(assignment: Assignment, list: HostList, planned: Planned): Explanation {
  const pushed = list.pushed.find(({ addon_id: id }) => id === assignment.addon_id);
  const { facts, step, failure, ask } = planned;
  return {
    fields: fieldsOf(assignment, pushed),
    ask: ask.kind,
    host:
      facts === null
        ? null
        : {
            current: facts.current,
            active: facts.active,
            highest_version: facts.highestVersion,
            signed_before: facts.signedBefore,
            staged: facts.staged?.sha256 ?? null,
            signed_by: facts.staged?.keyid ?? null,
            pinned: facts.pinned?.version ?? null,
            keys: facts.keys,
            keys_wanted: keysDemanded(facts.signerMark, facts),
            statement_signed_by: [...(facts.stated?.signers ?? [])],
          },
    decision: failure === null ? planned.action : "refuse",
    reasons: [
      ...(failure === null
        ? []
        : [`${failure.code}: ${failure.message}`, ...(failure.hint ?? "").split("\n")]),
      ...(step === null || step.kind === "refuse" ? [] : step.warnings.map(({ message }) => message)),
    ].filter((line) => line !== ""),
  };
}

function fieldsOf(assignment: Assignment, pushed: Assignment | undefined): Record<string, ExplainedField> {
  const nothing: Readonly<Record<string, JsonValue | undefined>> = {
    ...NOTHING_SAID,
    config_json: undefined,
  };
  const before: Readonly<Record<string, JsonValue | undefined>> = { ...pushed };
  return Object.fromEntries(
    Object.entries(assignment).flatMap(([name, value]: [string, JsonValue | undefined]) => {
      if (value === undefined) return [];
      const isDefault = Bun.deepEquals(value, nothing[name]);
      const isPushed = Bun.deepEquals(value, before[name]);
      const from = isPushed ? (isDefault ? "default" : "assigned") : "override";
      const shown = SECRET.has(name) && !isDefault ? "(set)" : value;
      return [[name, { value: shown, from }] as const];
    }),
  );
}

export function describeExplanation(id: string, explanation: Explanation): string {
  const fields = Object.entries(explanation.fields)
    .filter(([, { from }]) => from !== "default")
    .map(([name, { value, from }]) => {
      // A server chose it, and JSON leaves most of what a terminal or a runner acts on as it is.
      const shown = printable(JSON.stringify(value), LIMITS.logLineChars);
      return `  ${name} = ${shown} (${from})\n`;
    });
  const host = Object.entries(explanation.host ?? {}).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`,
  );
  const reasons = explanation.reasons.map((line) => `  ${line}\n`);
  return [
    `${id} asks for: ${explanation.ask}\n`,
    ...fields,
    ...(host.length === 0 ? [] : ["on the host:\n", ...host]),
    `decision: ${explanation.decision}\n`,
    ...reasons,
  ].join("");
}
