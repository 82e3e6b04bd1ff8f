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
  protocol: "the answer was not understood (redirect, not JSON, empty, ambiguous, too large)",
  conflict: "a conflict or lock was still held after the budget",
  transport: "name, connection, TLS, proxy or deadline",
  server: "the server failed (5xx, 429) beyond the budget",
  unknown: "a write was sent and its outcome could not be proven",
  changes: "a plan has changes",
  interrupted: "stopped by SIGINT",
  terminated: "stopped by SIGTERM",
};

/** Each distinct refusal and the way the run ends because of it. Append only: scripts match on these names. */
export const FAILURES = {
  internal_error: "internal",
  output_not_written: "internal",
  unsupported_platform: "internal",

  unknown_command: "usage",
  unknown_flag: "usage",
  flag_without_value: "usage",
  flag_repeated: "usage",
  flag_missing: "usage",
  flags_contradict: "usage",
  unexpected_argument: "usage",
  missing_argument: "usage",
  invalid_value: "usage",
  config_unreadable: "usage",
  config_invalid: "usage",
  url_invalid: "usage",
  nothing_named: "usage",
  file_unreadable: "usage",
  file_exists: "usage",
  input_invalid: "usage",
  key_invalid: "usage",
  key_weak: "usage",
  key_permissions: "usage",
  root_insecure: "usage",
  runtime_tampered: "usage",
  address_in_use: "usage",
  data_dir_invalid: "usage",

  credential_missing: "auth",
  credential_unexpanded: "auth",
  unauthorized: "auth",
  forbidden: "auth",

  requirement_not_met: "policy",
  ignore_file_invalid: "policy",
  policy_denied: "policy",
  unsigned: "policy",
  version_conflict: "policy",
  unsafe_path: "policy",
  platform_unsupported: "policy",
  supervision_unsupported: "policy",

  hash_mismatch: "untrusted",
  signature_invalid: "untrusted",
  signature_malformed: "untrusted",
  record_mismatch: "untrusted",
  archive_malformed: "untrusted",

  path_not_found: "missing",
  row_missing: "missing",
  not_found: "missing",
  artifact_incomplete: "missing",
  binary_missing: "missing",
  requirement_unknown: "missing",
  nothing_checked: "missing",

  pin_mismatch: "mismatch",
  moved_after_write: "mismatch",
  file_changed: "mismatch",
  response_mismatch: "mismatch",
  trees_differ: "mismatch",
  row_inconsistent: "mismatch",

  request_rejected: "rejected",

  redirect_refused: "protocol",
  answer_not_json: "protocol",
  answer_empty: "protocol",
  answer_too_large: "protocol",
  answer_malformed: "protocol",
  answer_ambiguous: "protocol",
  answer_unexpected: "protocol",
  artifact_too_large: "protocol",
  evidence_too_large: "protocol",

  conflict_persisted: "conflict",
  lock_held: "conflict",
  already_exists: "conflict",

  name_not_resolved: "transport",
  connection_failed: "transport",
  connection_lost: "transport",
  tls_failed: "transport",
  proxy_failed: "transport",
  deadline_passed: "transport",
  object_store_unavailable: "transport",
  assignments_unavailable: "transport",

  server_failed: "server",
  rate_limited: "server",
  storage_failed: "server",

  outcome_unknown: "unknown",

  interrupted: "interrupted",
  terminated: "terminated",
} as const;

export type FailureCode = keyof typeof FAILURES;

/** The exit code that a failure code stands for. */
export function exitCodeOf(code: FailureCode): ExitCode {
  return EXIT[FAILURES[code]];
}
