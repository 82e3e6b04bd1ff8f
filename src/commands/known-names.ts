import { resolve } from "node:path";
import { readInventory } from "../addons/on-host/inventory.ts";
import { LIMITS } from "../base/limits.ts";
import type { World } from "../cli/command.ts";
import { readBounded } from "../host/files.ts";
import { parseTargetConfig } from "../pins/target-config.ts";
import { readLayout } from "./addon-flags.ts";

/** The environments of the configuration that a half-written line names. Throws Failure when it cannot be read. */
export function knownEnvironments(config: string | undefined, world: World): string[] {
  const path = config ?? world.env["WAYBILL_CONFIG"];
  if (path === undefined) return [];
  const bytes = readBounded(resolve(world.cwd, path), LIMITS.documentBytes, "the configuration");
  return [...parseTargetConfig(bytes, path).keys()];
}

/** The add-ons under the root that a half-written line names. Throws Failure when there is none. */
export function knownAddons(flags: Readonly<Record<string, string>>, world: World): string[] {
  const layout = readLayout({ root: flags["root"], layout: flags["layout"] ?? "waybill" }, world);
  return readInventory(layout, []).map(({ id }) => id);
}
