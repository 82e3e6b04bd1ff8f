import { Failure } from "./failure.ts";
import { LIMITS } from "./limits.ts";

/** Whether a clock stands before the commit that a binary was built from, in which case it is wrong. */
export function isBehindBuild(now: Date, builtAt: Date | null): boolean {
  return builtAt !== null && now.getTime() + LIMITS.clockSkewMs < builtAt.getTime();
}

/**
 * Throws Failure `clock_behind`. By such a clock everything that has run out is valid again: revoked certificates,
 * expired keys, old policies.
 */
export function refuseClockBehindBuild(now: Date, builtAt: Date | null): void {
  if (!isBehindBuild(now, builtAt)) return;
  throw new Failure(
    "clock_behind",
    `the clock says ${now.toISOString()}, before this binary was made (${builtAt?.toISOString()})`,
    { hint: "set the clock: by this one nothing has expired, neither certificates nor keys nor policies" },
  );
}
