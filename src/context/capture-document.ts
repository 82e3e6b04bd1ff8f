import type { Field } from "../source/coordinates.ts";
import { shownText } from "./byte-path.ts";
import type { Capture } from "./capture.ts";
import type { DigestResult } from "./tree-digests.ts";

/** The six fields of a build record; unknown ones are absent, never empty or null. */
export type SourceFields = {
  source_repo?: string;
  source_commit?: string;
  source_ref?: string;
  source_subpath?: string;
  source_dirty?: boolean;
  working_tree_hash?: string;
};

export type Warning = { readonly code: string; readonly message: string };

export function sourceFields(capture: Capture): SourceFields {
  const fields: SourceFields = {};
  const { source_repo, source_commit, source_ref, source_subpath, source_dirty } = capture.coordinates;
  if (source_repo.value !== null) fields.source_repo = source_repo.value;
  if (source_commit.value !== null) fields.source_commit = source_commit.value;
  if (source_ref.value !== null) fields.source_ref = source_ref.value;
  if (source_subpath.value !== null) fields.source_subpath = source_subpath.value;
  if (source_dirty.value !== null) fields.source_dirty = source_dirty.value;
  const hash = capture.digests.working_tree_hash.value;
  if (hash !== null) fields.working_tree_hash = hash;
  return fields;
}

type FieldDocument = { value: string | boolean | null; source: string; reason: string | null };

function hashField(result: DigestResult): FieldDocument {
  return result.value === null
    ? { value: null, source: "none", reason: result.reason }
    : { value: result.value, source: "context", reason: null };
}

function fieldDocument(field: Field<string> | Field<boolean>): FieldDocument {
  return { value: field.value, source: field.source, reason: field.reason };
}

/** The members of the `capture --json` document. Digests and counts that nobody computed are null. */
export function captureDocument(capture: Capture): {
  readonly source_fields: SourceFields;
  readonly fields: Readonly<Record<string, FieldDocument>>;
  readonly matches_commit: boolean | null;
  readonly matches_commit_detail: {
    reason: string | null;
    counts: Record<string, number>;
    samples: Record<string, string[]>;
  };
  readonly digests: Readonly<Record<string, string | null>>;
  readonly context: ReturnType<typeof contextDocument>;
  readonly ci: {
    system: string;
    repo: string | null;
    commit: string | null;
    ref: string | null;
    run_url: string | null;
  } | null;
  readonly warnings: Warning[];
} {
  const { coordinates, digests, matchesCommit, ci } = capture;
  return {
    source_fields: sourceFields(capture),
    fields: {
      source_repo: fieldDocument(coordinates.source_repo),
      source_commit: fieldDocument(coordinates.source_commit),
      source_ref: fieldDocument(coordinates.source_ref),
      source_subpath: fieldDocument(coordinates.source_subpath),
      source_dirty: fieldDocument(coordinates.source_dirty),
      working_tree_hash: hashField(digests.working_tree_hash),
    },
    matches_commit: matchesCommit.value,
    matches_commit_detail: {
      reason: matchesCommit.reason,
      counts: { ...matchesCommit.counts },
      samples: Object.fromEntries(
        Object.entries(matchesCommit.samples).map(([kind, paths]) => [kind, [...paths]]),
      ),
    },
    digests: Object.fromEntries(Object.entries(digests).map(([name, result]) => [name, result.value])),
    context: contextDocument(capture),
    ci:
      ci === null
        ? null
        : { system: ci.system, repo: ci.repo, commit: ci.commit, ref: ci.ref, run_url: ci.runUrl },
    warnings: warningsOf(capture),
  };
}

function contextDocument(capture: Capture): {
  readonly files: number;
  readonly dirs: number;
  readonly symlinks: number;
  readonly bytes: number | null;
  readonly dockerfile: string | null;
  readonly ignore_file: string | null;
  readonly skipped: { path: string; kind: string }[];
} {
  const { walk, chosen, items } = capture.context;
  const count = (kind: string): number => walk?.entries.filter((entry) => entry.kind === kind).length ?? 0;
  return {
    files: count("file"),
    dirs: count("directory"),
    symlinks: count("symlink"),
    bytes: items?.reduce((sum, item) => sum + (item.kind === "file" ? item.content.size : 0), 0) ?? null,
    dockerfile: shownFile(chosen?.dockerfile),
    ignore_file: shownFile(chosen?.ignoreFile),
    skipped: [...(walk?.skipped ?? [])],
  };
}

function shownFile(file: { place: string; inside: string | null } | null | undefined): string | null {
  return file === null || file === undefined ? null : (file.inside ?? file.place);
}

export function warningsOf(capture: Capture): Warning[] {
  const { context, coordinates, digests, gitDetail } = capture;
  const warnings: Warning[] = [];
  if (context.problem !== null) warnings.push(context.problem);
  for (const { path, kind } of context.walk?.skipped ?? []) {
    warnings.push({ code: "special_file_skipped", message: `${path} is a ${kind}; no builder copies it` });
  }
  for (const path of context.displaced) {
    warnings.push({
      code: "displaced_in_archive",
      message: `the archive's ${path} is the chosen build file, not the context's own ${path}`,
    });
  }
  for (const path of context.ownOutputs) {
    warnings.push({
      code: "own_output_skipped",
      message: `${path} is written by this run, so it is no part of the context; name it in the ignore file`,
    });
  }
  if (digests.working_tree_hash.reason === "name_not_utf8") {
    const name = context.items?.find((item) => shownText(item.path).includes("\ufffd"));
    const path = name === undefined ? "a file" : shownText(name.path);
    warnings.push({
      code: "name_not_utf8",
      message: `${path} has a name that is not UTF-8, so there is no hash`,
    });
  }
  if (context.walk?.entries.every((entry) => entry.kind === "directory") === true) {
    warnings.push({
      code: "context_empty",
      message: "the context holds no file; its hash is the hash of nothing",
    });
  }
  const reason = coordinates.source_commit.reason;
  if (reason !== null && reason !== "not_a_repository") {
    warnings.push({ code: reason, message: `no commit: ${REMEDY[reason] ?? gitDetail ?? reason}` });
  }
  return warnings;
}

const REMEDY: Readonly<Record<string, string>> = {
  git_missing: "git is not installed; install it to record the commit",
  git_dubious_ownership:
    "git does not trust the owner of this folder; run: git config --global --add safe.directory <folder>",
  git_dir_missing: "the .git file points to a folder that is not here; mount the main repository too",
  git_timeout: "git took too long; give it more with --time-budget",
  context_not_tracked: "the repository around this folder does not track it",
  context_outside_repo: "the context lies outside the repository that --repo names",
  worktree_mismatch: "the repository's core.worktree points away from this folder",
  unborn_branch: "the branch has no commit yet",
  no_work_tree: "this is a bare repository or a .git folder",
};
