// Put in by scripts/build. From source they are undefined identifiers, which `typeof` may name.
declare const WAYBILL_VERSION: string;
declare const WAYBILL_COMMIT: string;
declare const WAYBILL_BUILT_AT: string;

/** Which build this is. `commit` is null outside a git checkout, `builtAt` an RFC 3339 instant in UTC. */
export type Build = {
  readonly version: string;
  readonly commit: string | null;
  readonly builtAt: string | null;
};

export const BUILD: Build = {
  version: typeof WAYBILL_VERSION === "string" ? WAYBILL_VERSION : "0.0.0-source",
  commit: typeof WAYBILL_COMMIT === "string" && WAYBILL_COMMIT !== "" ? WAYBILL_COMMIT : null,
  builtAt: typeof WAYBILL_BUILT_AT === "string" ? WAYBILL_BUILT_AT : null,
};

/** The same instant as a date. */
export function buildTime(): Date | null {
  return BUILD.builtAt === null ? null : new Date(BUILD.builtAt);
}
