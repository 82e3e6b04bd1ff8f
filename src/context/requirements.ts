import type { FailureCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Capture } from "./capture.ts";
import { warningsOf } from "./capture-warnings.ts";
import { remedyFor } from "./remedies.ts";

export type Requirements = {
  readonly strict: boolean;
  readonly clean: boolean;
  readonly matchesCommit: boolean;
  readonly pushed: boolean;
};

/** Warnings about what is there; the others are about what nobody knows. */
const REFUSALS: Readonly<Record<string, FailureCode>> = {
  ignore_file_invalid: "ignore_file_invalid",
  special_file_skipped: "requirement_not_met",
  displaced_in_archive: "requirement_not_met",
  dockerfile_leads_out: "requirement_not_met",
  own_output_skipped: "requirement_not_met",
  secrets_shipped: "requirement_not_met",
  context_too_large: "requirement_not_met",
  names_collide: "requirement_not_met",
  unicode_form_differs: "requirement_not_met",
  vcs_included: "requirement_not_met",
  ci_mismatch: "requirement_not_met",
  git_operation_in_progress: "requirement_not_met",
};

/**
 * What the `--require` flags refuse, and `--strict`, under which every warning is a refusal. False is a matter of
 * policy (5); unknown is missing evidence (7).
 */
export function unmetRequirements(capture: Capture, wanted: Requirements): Failure[] {
  const unmet: Failure[] = [];
  const { source_dirty: dirty } = capture.coordinates;
  if (wanted.clean && dirty.value !== false) {
    unmet.push(
      dirty.value === null
        ? new Failure("requirement_unknown", `nobody knows whether the work tree is clean: ${dirty.reason}`)
        : new Failure("requirement_not_met", "the work tree is dirty below the context", {
            hint: "commit or remove the changes that git status shows",
          }),
    );
  }
  const { matchesCommit } = capture;
  if (wanted.matchesCommit && matchesCommit.value !== true) {
    const kinds = Object.entries(matchesCommit.counts).map(([kind, count]) => `${count} ${kind}`);
    unmet.push(
      matchesCommit.value === null
        ? new Failure(
            "requirement_unknown",
            `nobody knows whether the context is the commit: ${matchesCommit.reason}`,
          )
        : new Failure(
            "requirement_not_met",
            `the context is not what the commit holds: ${kinds.join(", ")}`,
            {
              hint: "the document names some of the paths under matches_commit_detail",
            },
          ),
    );
  }
  if (wanted.pushed) unmet.push(...unpushed(capture));
  if (wanted.strict) {
    for (const { code, message } of warningsOf(capture)) {
      // It names files, and those have names as somebody chose them.
      unmet.push(new Failure(REFUSALS[code] ?? "requirement_unknown", printable(message)));
    }
  }
  return unmet;
}

/** A build from a commit that nobody else has cannot be repeated by anybody. */
function unpushed({ git, gitAbsence }: Capture): Failure[] {
  const pushed = git?.pushed ?? { value: null, reason: gitAbsence?.reason ?? null };
  if (pushed.value === true) return [];
  if (pushed.value === false) {
    return [
      new Failure("requirement_not_met", "no remote-tracking branch contains the commit", {
        hint: "push it, or fetch if somebody else did",
      }),
    ];
  }
  const reason = pushed.reason ?? "unknown";
  return [
    new Failure("requirement_unknown", `nobody knows whether the commit was pushed: ${reason}`, {
      hint: remedyFor(reason) ?? undefined,
    }),
  ];
}
