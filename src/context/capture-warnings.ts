import { exactText, shownText } from "./byte-path.ts";
import type { Operation } from "../source/operation.ts";
import type { Capture } from "./capture.ts";
import { healthWarnings } from "./health-document.ts";
import { remedyFor } from "./remedies.ts";

/** Something that the reader should look at, though the capture stands. Codes are stable. */
export type Warning = { readonly code: string; readonly message: string };

const OPERATIONS: Readonly<Record<Operation["kind"], string>> = {
  rebase: "a rebase",
  apply: "applying patches",
  merge: "a merge",
  cherry_pick: "a cherry-pick",
  revert: "a revert",
  bisect: "a bisect",
};

const VCS = /(?:^|\/)\.git(?:\/|$)/u;

export function warningsOf(capture: Capture): Warning[] {
  const { context, coordinates, digests, gitAbsence } = capture;
  const warnings: Warning[] = [];
  if (context.problem !== null) warnings.push(context.problem);
  for (const { path, kind } of context.walk?.skipped ?? []) {
    warnings.push({ code: "special_file_skipped", message: `${path} is a ${kind}; no builder copies it` });
  }
  for (const path of context.archive === null ? [] : context.displaced) {
    warnings.push({
      code: "displaced_in_archive",
      message: `the archive's ${path} is the chosen build file, not the context's own ${path}`,
    });
  }
  const dockerfile = context.chosen?.dockerfile ?? null;
  if (dockerfile?.inside === "Dockerfile" && dockerfile.content === null) {
    warnings.push({
      code: "dockerfile_leads_out",
      message: "Dockerfile is a link that leads out of the context; no builder gets what is behind it",
    });
  }
  for (const path of context.ownOutputs) {
    warnings.push({
      code: "own_output_skipped",
      message: `${path} is written by this run, so it is no part of the context; name it in the ignore file`,
    });
  }
  const vcs =
    context.walk?.holdsVcs === true ? context.items?.values().find(({ path }) => VCS.test(path)) : undefined;
  if (vcs !== undefined) {
    warnings.push({
      code: "vcs_included",
      message: `${shownText(vcs.path)} ships as well: no other clone of the commit has these bytes, nor this one tomorrow`,
    });
  }
  if (digests.working_tree_hash.reason === "name_not_utf8") {
    const name = context.items?.values().find((item) => exactText(item.path) === null);
    const path = name === undefined ? "a file" : shownText(name.path);
    warnings.push({
      code: "name_not_utf8",
      message: `${path} has a name that is not UTF-8, so there is no hash`,
    });
  }
  if (context.items?.length === 0) {
    warnings.push({
      code: "context_empty",
      message: "the context holds no file; its hash is the hash of nothing",
    });
  }
  // Also where a claim of the CI system stands in for it: what git could not see is unknown all the same.
  const reason = gitAbsence?.reason ?? coordinates.source_commit.reason;
  if (reason !== null && reason !== "not_a_repository") {
    const what = coordinates.source_commit.value === null ? "no commit" : "the commit is only a claim";
    warnings.push({ code: reason, message: `${what}: ${remedyOf(reason, gitAbsence?.detail ?? null)}` });
  }
  if (capture.git?.readBy === "files") {
    const skipped = capture.git.includesSkipped
      ? "; files that its configuration includes were not read"
      : "";
    warnings.push({
      code: "git_missing",
      message: `git is not installed: what HEAD is was read from its files, and whether this is it is unknown${skipped}`,
    });
  }
  if (capture.mismatches.includes("commit")) {
    warnings.push({
      code: "ci_mismatch",
      message: `the CI system says commit ${capture.ci?.commit}, checked out is ${capture.git?.commit.value}`,
    });
  }
  const operation = capture.git?.operation ?? null;
  if (operation !== null) {
    warnings.push({
      code: "git_operation_in_progress",
      message: `git is in the middle of ${OPERATIONS[operation.kind]}; HEAD may be a commit that nobody meant`,
    });
  }
  const [form] = capture.matchesCommit.otherForm;
  if (form !== undefined) {
    warnings.push({
      code: "unicode_form_differs",
      message: `${shownText(form)} has the name that the commit gives it in another Unicode form only; check it out again where its names are kept`,
    });
  }
  if (capture.health !== null) warnings.push(...healthWarnings(capture.health));
  return warnings;
}

/** git's own words where it failed in a way that nobody foresaw. */
function remedyOf(reason: string, gitDetail: string | null): string {
  return (reason === "git_failed" ? gitDetail : null) ?? remedyFor(reason) ?? reason;
}
