import type { Field } from "../source/coordinates.ts";
import { shownBuildFile } from "./inclusion.ts";
import type { Capture } from "./capture.ts";
import { warningsOf, type Warning } from "./capture-warnings.ts";
import { gitDocument, pullRequestDocument } from "./git-document.ts";
import { healthDocument, volatileDocument } from "./health-document.ts";
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
  readonly digests_detail: { readonly reasons: Readonly<Record<string, string>> };
  readonly context: ReturnType<typeof contextDocument>;
  readonly ref_full: string | null;
  readonly ref_full_detail: { reason: string | null };
  readonly ref_kind: "branch" | "tag" | null;
  readonly tags: readonly string[];
  readonly pushed: boolean | null;
  readonly pushed_detail: { reason: string | null; ref: string | null };
  readonly git: ReturnType<typeof gitDocument>;
  readonly ci: ReturnType<typeof ciDocument>;
  readonly pull_request: ReturnType<typeof pullRequestDocument>;
  readonly health: ReturnType<typeof healthDocument>;
  readonly volatile: ReturnType<typeof volatileDocument>;
  readonly warnings: Warning[];
} {
  const { coordinates, digests, matchesCommit, git, gitAbsence } = capture;
  const without = gitAbsence?.reason ?? null;
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
    digests_detail: {
      reasons: Object.fromEntries(
        Object.entries(digests).flatMap(([name, { reason }]) => (reason === null ? [] : [[name, reason]])),
      ),
    },
    context: contextDocument(capture),
    ref_full: git?.refFull.value ?? null,
    ref_full_detail: { reason: git === null ? without : git.refFull.reason },
    ref_kind: git?.refKind ?? null,
    tags: git?.tags ?? [],
    pushed: git?.pushed.value ?? null,
    pushed_detail: {
      reason: git === null ? without : git.pushed.reason,
      ref: git?.pushed.ref ?? null,
    },
    git: gitDocument(git),
    ci: ciDocument(capture),
    pull_request: pullRequestDocument(capture),
    health: healthDocument(capture.health),
    volatile: volatileDocument(capture.machine, capture.health),
    warnings: warningsOf(capture),
  };
}

/** What the CI system claims, beside what git observed: `mismatch` names the claims that git contradicts. */
function ciDocument({ ci, mismatches }: Capture): {
  readonly system: string;
  readonly repo: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
  readonly ref_full: string | null;
  readonly run_id: string | null;
  readonly run_url: string | null;
  readonly mismatch: readonly string[];
} | null {
  if (ci === null) return null;
  const { system, repo, commit, ref, refFull, runId, runUrl } = ci;
  return {
    system,
    repo,
    commit,
    ref,
    ref_full: refFull,
    run_id: runId,
    run_url: runUrl,
    mismatch: mismatches,
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
  readonly displaced: readonly string[];
  readonly own_outputs: readonly string[];
} {
  const { walk, chosen } = capture.context;
  const count = walk?.entries.counts ?? { file: 0, directory: 0, symlink: 0 };
  return {
    files: count.file,
    dirs: count.directory,
    symlinks: count.symlink,
    bytes: capture.health?.bytes ?? null,
    dockerfile: shownBuildFile(chosen?.dockerfile),
    ignore_file: shownBuildFile(chosen?.ignoreFile),
    skipped: [...(walk?.skipped ?? [])],
    displaced: [...capture.context.displaced],
    own_outputs: [...capture.context.ownOutputs],
  };
}
