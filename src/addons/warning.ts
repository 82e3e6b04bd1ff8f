/** What is told without being a failure. A closed set, as the failure codes are: scripts match on it. */
type WarningCode =
  | "enabled_assumed"
  | "fields_ignored"
  | "override_ignored"
  | "override_near_miss"
  | "override_twice"
  | "override_null_config"
  | "assignments_unavailable"
  | "assignments_cached"
  | "cache_not_written"
  | "unsigned_allowed"
  | "fewer_signers_allowed"
  | "threshold_lowered"
  | "unsigned_after_signed"
  | "state_unreadable"
  | "state_not_written"
  | "mirror_failed"
  | "root_noexec"
  | "root_shared"
  | "pinned"
  | "flapping"
  | "downgrade_allowed"
  | "statement_expired"
  | "statement_vanished"
  | "clock_went_back"
  | "clock_not_written"
  | "audit_not_written"
  | "attempts_not_written";

export type Warning = {
  readonly code: WarningCode;
  readonly message: string;
};
