import { refuseClockBehindBuild } from "../base/build-time.ts";
import { buildTime } from "../base/version.ts";
import type { World } from "../cli/command.ts";

/** The time by which validity and expiry are judged. Throws Failure `clock_behind` for one that cannot be true. */
export function judgingTime(world: World): Date {
  const now = world.now();
  refuseClockBehindBuild(now, buildTime());
  return now;
}
