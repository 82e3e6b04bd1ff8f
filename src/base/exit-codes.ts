/** What a caller of the binary may rely on: every way a run can end. The one table of the product. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  partial: 3,
  auth: 4,
  policy: 5,
  untrusted: 6,
  missing: 7,
  mismatch: 8,
  rejected: 9,
  protocol: 10,
  conflict: 11,
  transport: 12,
  server: 13,
  unknown: 14,
  changes: 20,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitName = keyof typeof EXIT;
export type ExitCode = (typeof EXIT)[ExitName];

/** One line each, printed at the end of every command's help and in the README. */
export const EXIT_MEANING: Readonly<Record<ExitName, string>> = {
  ok: "proven or done",
  internal: "a fault of waybill itself, or the result could not be written",
  usage: "wrong arguments or configuration; nothing was sent or written",
  partial: "several targets or add-ons, and some of them failed",
  auth: "credential missing or refused",
  policy: "refused by a policy or a --require flag",
  untrusted: "evidence is present and wrong (hash, signature, subject)",
  missing: "nothing to verify: no row, no artifact, no evidence",
  mismatch: "read, and differs from what was wanted",
  rejected: "the server refused the request as invalid",
  protocol: "answer not understood (redirect, not JSON, empty, ambiguous, too large)",
  conflict: "a conflict or lock was still held after the budget",
  transport: "name, connection, TLS, proxy or deadline",
  server: "the server failed (5xx, 429) beyond the budget",
  unknown: "a write was sent and its outcome could not be proven",
  changes: "a plan has changes",
  interrupted: "stopped by SIGINT",
  terminated: "stopped by SIGTERM",
};

/** Each distinct refusal, by the way the run ends because of it. Append only: scripts match on these names. */
// Lists, and no member for each: every run makes them, and few look into them.
export const FAILURES = [
  ["internal", ["internal_error", "output_not_written", "unsupported_platform", "receipt_not_kept"]],
  [
    "usage",
    [
      "unknown_command",
      "unknown_flag",
      "flag_without_value",
      "flag_repeated",
      "flag_missing",
      "flags_contradict",
      "unexpected_argument",
      "missing_argument",
      "invalid_value",
      "config_unreadable",
      "config_invalid",
      "url_invalid",
      "nothing_named",
      "file_unreadable",
      "file_exists",
      "input_invalid",
      "key_invalid",
      "key_weak",
      "key_permissions",
      "root_insecure",
      "runtime_tampered",
      "address_in_use",
      "data_dir_invalid",
      "policy_invalid",
      "trust_root_invalid",
      "clock_behind",
    ],
  ],
  ["auth", ["credential_missing", "credential_unexpanded", "unauthorized", "forbidden", "edge_blocked"]],
  [
    "policy",
    [
      "requirement_not_met",
      "ignore_file_invalid",
      "policy_denied",
      "held_back",
      "superseded",
      "unsigned",
      "version_conflict",
      "unsafe_path",
      "platform_unsupported",
      "platform_missing",
      "supervision_unsupported",
      "tarball_unsafe",
      "capability_unsafe",
      "downgrade_refused",
      "version_blocked",
      "manifest_invalid",
      "unit_unsafe",
      "unit_masked",
      "unit_foreign",
      "rollback_repeated",
      "capability_unavailable",
      "statement_expired",
      "statement_missing",
      "state_newer",
    ],
  ],
  [
    "untrusted",
    [
      "hash_mismatch",
      "digest_header_mismatch",
      "signature_invalid",
      "signature_malformed",
      "record_mismatch",
      "envelope_malformed",
      "attestation_malformed",
      "statement_invalid",
      "payload_type_mismatch",
      "predicate_type_mismatch",
      "subject_mismatch",
      "policy_expired",
      "policy_not_yet_valid",
      "policy_rollback",
      "source_mismatch",
      "archive_malformed",
      "signature_unsupported",
      "signature_legacy",
      "namespace_mismatch",
      "trusted_comment_invalid",
      "signer_unknown",
      "key_not_authorised",
      "key_expired",
      "key_not_yet_valid",
      "key_revoked",
      "threshold_not_met",
      "trust_root_rollback",
      "statement_mismatch",
      "audit_broken",
      "receipt_mismatch",
      "lineage_contradicted",
    ],
  ],
  [
    "missing",
    [
      "path_not_found",
      "row_missing",
      "not_found",
      "artifact_incomplete",
      "artifact_absent",
      "binary_missing",
      "requirement_unknown",
      "nothing_checked",
      "no_evidence",
      "tarball_binary_missing",
      "rollback_target_missing",
      "receipt_missing",
      "lineage_incomplete",
      "program_not_started",
      "systemd_unavailable",
    ],
  ],
  [
    "mismatch",
    [
      "pin_mismatch",
      "moved_after_write",
      "git_sha_differs",
      "pin_drift",
      "file_changed",
      "response_mismatch",
      "trees_differ",
      "row_inconsistent",
      "machine_unfit",
    ],
  ],
  ["rejected", ["request_rejected"]],
  [
    "protocol",
    [
      "redirect_refused",
      "answer_not_json",
      "answer_empty",
      "answer_too_large",
      "answer_malformed",
      "answer_ambiguous",
      "answer_unexpected",
      "answer_cached",
      "server_unsupported",
      "artifact_too_large",
      "evidence_too_large",
      "tarball_too_large",
    ],
  ],
  ["conflict", ["conflict_persisted", "previous_differs", "lock_held", "already_exists"]],
  [
    "transport",
    [
      "name_not_resolved",
      "wrong_base_url",
      "connection_failed",
      "connection_lost",
      "tls_failed",
      "tls_broken",
      "proxy_failed",
      "deadline_passed",
      "object_store_unavailable",
      "assignments_unavailable",
    ],
  ],
  ["server", ["server_failed", "rate_limited", "storage_failed", "no_space", "unit_failed"]],
  ["unknown", ["outcome_unknown", "written_unverified"]],
  ["interrupted", ["interrupted"]],
  ["terminated", ["terminated"]],
] as const;

export type FailureCode = (typeof FAILURES)[number][1][number];

/** All of them, in the order of the table. */
export function failureCodes(): readonly FailureCode[] {
  return FAILURES.flatMap(([, codes]): readonly FailureCode[] => codes);
}

export function isFailureCode(text: string): text is FailureCode {
  return failureCodes().some((code) => code === text);
}

/** The way a run ends because of a failure. */
export function endingOf(code: FailureCode): ExitName {
  const found = FAILURES.find(([, codes]) => codes.some((one) => one === code));
  return found?.[0] ?? "internal";
}

/** The exit code that a failure code stands for. */
export function exitCodeOf(code: FailureCode): ExitCode {
  return EXIT[endingOf(code)];
}
