import { readdirSync } from "node:fs";
import { join } from "node:path";
import { allowedCapabilities } from "../assigned/capabilities.ts";
import { safeName } from "../names.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { readBounded } from "../../host/files.ts";
import { readBundledUnit } from "./bundled-unit.ts";
import type { Manifest, TimerWishes } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";
import { decodeResources } from "./resources.ts";
import type { UnitRequest } from "./unit-text.ts";

/**
 * What the units of a version are made of: its manifest, else the units of its bundle as far as they are harmless.
 * Throws Failure: `manifest_invalid`, `unit_unsafe`, `supervision_unsupported`.
 */
export function unitRequest(
  spec: Spec,
  layout: Layout,
  waybill: string,
  onCalendar: readonly string[],
): UnitRequest {
  const paths = layout.addon(safeName(spec.addon_id, "the add-on"));
  const { supervision: model } = spec;
  if (model !== "systemd_service" && model !== "systemd_timer") {
    throw new Failure(
      "supervision_unsupported",
      `add-on ${quoted(spec.addon_id)} is assigned as ${quoted(model)}, which has no unit`,
      { hint: "assign it as systemd_service or systemd_timer" },
    );
  }
  const manifest = readManifest(paths, spec.folder);
  const bundled = bundledUnits(paths, spec, model);
  const timer = { ...bundled.timer, ...manifest.timer };
  return {
    id: spec.addon_id,
    model,
    waybill,
    root: layout.root,
    layout: layout.name,
    specs: paths.specs,
    args: bundled.args,
    service: { ...bundled.service, ...manifest.service },
    timer: timerOf(timer, onCalendar),
    resources: decodeResources(spec.resources),
    capabilities: allowedCapabilities(spec.os_capabilities),
  };
}

function timerOf(timer: TimerWishes, onCalendar: readonly string[]): TimerWishes | null {
  const all = onCalendar.length === 0 ? timer : { ...timer, on_calendar: onCalendar };
  return Object.keys(all).length === 0 ? null : all;
}

function bundledUnits(
  paths: AddonPaths,
  spec: Spec,
  model: string,
): Omit<Manifest, "health"> & { args: readonly string[] } {
  const names = readdirSync(paths.version(spec.folder));
  const services = names.filter((name) => name.endsWith(".service"));
  const timers = names.filter((name) => name.endsWith(".timer"));
  for (const [found, suffix] of [
    [services, "service"],
    [timers, "timer"],
  ] as const) {
    if (found.length > 1) {
      throw new Failure(
        "unit_unsafe",
        `the bundle has ${found.length} .${suffix} units: ${found.join(", ")}; wanted one`,
      );
    }
  }
  const other = names.find((name) =>
    /\.(?:socket|mount|automount|swap|target|path|slice|device|scope)$/u.test(name),
  );
  if (other !== undefined)
    throw new Failure("unit_unsafe", `the bundle has a unit ${quoted(other)}; wanted services and timers`);
  const read = (name: string | undefined): ReturnType<typeof readBundledUnit> => {
    if (name === undefined) return { service: {}, timer: null, args: [] };
    const text = new TextDecoder().decode(
      readBounded(join(paths.version(spec.folder), name), LIMITS.bundleTextBytes, "the unit"),
    );
    return readBundledUnit(name, text, spec.binary_name);
  };
  const service = read(services[0]);
  const timer = model === "systemd_timer" ? read(timers[0]).timer : null;
  return { service: service.service, timer, args: service.args };
}
