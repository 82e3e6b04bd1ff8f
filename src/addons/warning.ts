/** What is told without being a failure. A closed set, as the failure codes are: scripts match on it. */
type WarningCode =
  | "enabled_assumed"
  | "fields_ignored"
  | "override_ignored"
  | "override_near_miss"
  | "override_null_config"
  | "assignments_unavailable"
  | "assignments_cached"
  | "cache_not_written"
  | "unsigned_allowed"
  | "unsigned_after_signed"
  | "state_unreadable"
  | "state_not_written"
  | "capabilities_not_applied";

export type Warning = {
  readonly code: WarningCode;
  readonly message: string;
};
