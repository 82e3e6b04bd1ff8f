import type { ResultShape } from "./frame.ts";
import {
  anything,
  count,
  failure,
  flag,
  instant,
  list,
  map,
  nullable,
  object,
  objectId,
  sha256,
  text,
  warning,
  word,
  type Schema,
} from "./shape.ts";

/** A value, where it came from, and why there is none. */
const known = (value: Schema): Schema =>
  object({
    value: nullable(value),
    source: word("git", "ci", "context", "none"),
    reason: nullable(text),
  });

const git: Schema = object({
  read_by: word("git", "files"),
  object_format: word("sha1", "sha256"),
  commit_tree: nullable(objectId),
  commit_time: nullable(instant),
  parents: list(objectId),
  signed: nullable(flag),
  shallow: flag,
  partial: flag,
  linked_worktree: flag,
  in_progress: nullable(
    object({
      kind: word("rebase", "apply", "merge", "cherry_pick", "revert", "bisect"),
      branch: nullable(text),
    }),
  ),
  submodules: list(
    object({
      path: text,
      "path_base64?": text,
      commit: objectId,
      head: nullable(objectId),
      repo: nullable(text),
    }),
  ),
  superproject: nullable(
    object({ repo: nullable(text), commit: nullable(objectId), path: text, wanted: nullable(objectId) }),
  ),
  enclosing: nullable(object({ repo: nullable(text), commit: nullable(objectId), ref: nullable(text) })),
});

const ci: Schema = object({
  system: text,
  repo: nullable(text),
  commit: nullable(text),
  ref: nullable(text),
  ref_full: nullable(text),
  run_id: nullable(text),
  run_url: nullable(text),
  mismatch: list(text),
});

const pullRequest: Schema = object({
  number: nullable(text),
  checked_out: nullable(objectId),
  head: nullable(objectId),
  base: nullable(objectId),
  head_ref: nullable(text),
  base_ref: nullable(text),
  head_repo: nullable(text),
  tree_equals_head: nullable(flag),
  tree_equals_head_detail: object({ reason: nullable(text) }),
});

/** What may make the same commit come out with other bytes on another machine. */
const machine: Schema = object({
  platform: text,
  umask: text,
  git_version: nullable(text),
  autocrlf: nullable(text),
  eol: nullable(text),
  file_mode: nullable(text),
  ignore_case: nullable(text),
  precompose_unicode: nullable(text),
  symlinks: nullable(text),
  decomposed_names: nullable(count),
});

const health: Schema = object({
  largest: list(object({ path: text, "path_base64?": text, size: count })),
  over_limit: flag,
  limit_bytes: count,
  secrets: object({
    count,
    found: list(object({ path: text, "path_base64?": text, kind: text })),
    unchecked: count,
  }),
  case_collisions: list(object({ path: text, "path_base64?": text })),
});

/** A file or link of a context, as a manifest or a comparison names it. */
const side: Schema = nullable(
  object({
    mode: word("100644", "100755", "120000"),
    size: nullable(count),
    sha256: nullable(sha256),
    git_blob: nullable(objectId),
  }),
);
const operand: Schema = object({
  kind: word("capture", "manifest", "archive", "folder", "commit"),
  name: text,
});

export const CAPTURE_RESULTS: { readonly [name: string]: ResultShape } = {
  capture: {
    what: "what exactly is being built: the input of `attest --capture` and `verify source --capture`",
    success: {
      source_fields: object({
        "source_repo?": text,
        "source_commit?": text,
        "source_ref?": text,
        "source_subpath?": text,
        "source_dirty?": flag,
        "working_tree_hash?": sha256,
      }),
      fields: object({
        source_repo: known(text),
        source_commit: known(text),
        source_ref: known(text),
        source_subpath: known(text),
        source_dirty: known(flag),
        working_tree_hash: known(sha256),
      }),
      matches_commit: nullable(flag),
      matches_commit_detail: object({ reason: nullable(text), counts: map(count), samples: map(list(text)) }),
      digests: object({
        working_tree_hash: nullable(sha256),
        dir_hash: nullable(sha256),
        git_tree: nullable(objectId),
        tar_sha256: nullable(sha256),
      }),
      digests_detail: object({ reasons: map(text) }),
      context: object({
        files: count,
        dirs: count,
        symlinks: count,
        bytes: nullable(count),
        dockerfile: nullable(text),
        ignore_file: nullable(text),
        skipped: list(object({ path: text, kind: word("device", "fifo", "socket") })),
        displaced: list(text),
        own_outputs: list(text),
      }),
      ref_full: nullable(text),
      ref_full_detail: object({ reason: nullable(text) }),
      ref_kind: nullable(word("branch", "tag")),
      tags: list(text),
      pushed: nullable(flag),
      pushed_detail: object({ reason: nullable(text), ref: nullable(text) }),
      git: nullable(git),
      ci: nullable(ci),
      pull_request: nullable(pullRequest),
      health: nullable(health),
      volatile: machine,
      warnings: list(warning),
    },
    sometimes: {
      build: object({
        id: nullable(text),
        build_status: nullable(text),
        existing: flag,
        "error?": failure,
      }),
    },
  },
  explain: {
    what: "why a path is in or out of the context",
    success: {
      path: text,
      included: flag,
      rule: nullable(object({ pattern: text, line: count })),
      reason: text,
      ignore_file: nullable(text),
    },
  },
  diff: {
    what: "the files that make two captures differ; the run ends with 8 when there are any",
    always: {
      checked: count,
      differences: list(
        object({
          path: text,
          "path_base64?": text,
          how: word("added", "removed", "modified", "mode", "type"),
          a: side,
          b: side,
        }),
      ),
    },
    sometimes: {
      a: operand,
      b: operand,
      counts: map(count),
      digests: list(object({ name: text, a: nullable(text), b: nullable(text), equal: flag })),
      fields: list(object({ name: text, a: anything, b: anything })),
      not_compared: list(anything),
    },
  },
  "verify-source": {
    what: "whether a clone, folder or archive is what was captured",
    always: {
      checked: count,
      accepted: list(object({ digest: text, value: text })),
      refusals: list(failure),
    },
    sometimes: {
      different: list(object({ digest: text, captured: text, found: text })),
      not_compared: list(text),
      counts: list(text),
      files: nullable(
        object({ modified: list(text), mode_only: list(text), added: list(text), missing: list(text) }),
      ),
      commit: nullable(text),
    },
  },
};
