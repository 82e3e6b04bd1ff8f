import { latestTime } from "../addons/on-host/clock-mark.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { buildTime } from "../base/version.ts";
import type { World } from "../cli/command.ts";

/**
 * The time by which something has expired on a host. A host goes on with a wrong clock, but by none before the highest
 * time that was seen there, or before this binary was made.
 */
export function hostTime(layout: Layout, world: World): Date {
  const now = world.now();
  const built = buildTime();
  return latestTime(layout.clock, built !== null && now < built ? built : now);
}
