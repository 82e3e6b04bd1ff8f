import type { HostAddon } from "../on-host/inventory.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import type { Sha256 } from "../../base/digest.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import type { Failure } from "../../base/failure.ts";
import type { Systemd } from "../../host/systemd.ts";
import { bringUnits, makeUnits, usualChoice } from "./bring-units.ts";
import { keyOfSpec } from "./start-plan.ts";
import type { Running } from "./status-report.ts";
import type { Clockwork } from "./agent-parts.ts";
import type { Clock } from "../../host/clock.ts";
import {
  jobHealth,
  SERVICE_PROPERTIES,
  serviceHealth,
  TIMER_PROPERTIES,
  type Shown,
  type UnitHealth,
} from "./unit-health.ts";
import { readManifest } from "./manifest-file.ts";
import type { Seen } from "./whose-fault.ts";
import { unitNames, type UnitNames } from "./unit-text.ts";

/** What was brought, or could not be, is not tried again before this; another spec is at once. */
const TRY_AGAIN_MS = 300_000;

/** One add-on that systemd runs: its units are kept what they shall be, and it is looked how they stand. */
export class HostedUnit {
  readonly #names: UnitNames;
  readonly #systemd: Systemd;
  readonly #clock: Clockwork & Clock;
  #key: string | null = null;
  #sha256: Sha256 | null = null;
  #isJob = false;
  #windowMs = 0;
  #againMs = Number.POSITIVE_INFINITY;
  #failure: Failure | null = null;
  #health: UnitHealth | null = null;
  #wellSinceMs: number | null = null;
  #restarts = "";
  /** When the last run of a job had ended at the time it was brought; null until that was seen. */
  #endBefore: string | null = null;
  #lastEnd = "";

  constructor(id: string, systemd: Systemd, clock: Clockwork & Clock) {
    this.#names = unitNames(id);
    this.#systemd = systemd;
    this.#clock = clock;
  }

  isDue(spec: Spec): boolean {
    return this.#key !== keyOfSpec(spec) || this.#clock.now() >= this.#againMs;
  }

  /** The version that it was brought for, as it was looked at last; systemd is the one who asks. */
  get seen(): Seen | null {
    if (this.#sha256 === null) return null;
    const well = { answer: "well", fault: null } as const;
    const found = this.#isWell ? well : ({ answer: null, fault: "ended" } as const);
    return { sha256: this.#sha256, probe: null, ...found };
  }

  get #isWell(): boolean {
    return this.#health?.well === true;
  }

  /** Call it under the root's lock. What fails is kept for the report, and is not thrown. */
  async bring(addon: HostAddon, layout: Layout, usualWindowMs: number): Promise<Failure | null> {
    const spec = addon.specs.active;
    if (spec === null) return null;
    this.#key = keyOfSpec(spec);
    this.#sha256 = spec.artifact_sha256;
    this.#isJob = spec.supervision === "systemd_timer";
    this.#endBefore = null;
    this.#wellSinceMs = null;
    try {
      const choice = usualChoice(addon.paths);
      const units = await makeUnits(addon, layout, choice, this.#clock.stop);
      this.#windowMs = readManifest(addon.paths, spec.folder).health?.window_ms ?? usualWindowMs;
      await bringUnits(addon, units, choice, false, this.#systemd, this.#clock, this.#clock.stop);
      this.#failure = null;
      this.#againMs = Number.POSITIVE_INFINITY;
    } catch (error) {
      this.#failure = storageFailure(error, addon.paths.directory);
      this.#againMs = this.#clock.now() + TRY_AGAIN_MS;
    }
    await this.look();
    return this.#failure;
  }

  async look(): Promise<void> {
    const service = await this.#systemd.show(this.#names.service, SERVICE_PROPERTIES);
    this.#health = this.#isJob
      ? jobHealth(service, await this.#systemd.show(this.#names.timer, TIMER_PROPERTIES))
      : serviceHealth(service);
    this.#note(service);
  }

  #note(service: Shown): void {
    this.#lastEnd = service["ExecMainExitTimestampMonotonic"] ?? "";
    this.#endBefore ??= this.#lastEnd;
    const restarts = service["NRestarts"] ?? "";
    // One that is started again and again is well at times.
    const isSteady = this.#isWell && restarts === this.#restarts;
    this.#restarts = restarts;
    this.#wellSinceMs = isSteady ? (this.#wellSinceMs ?? this.#clock.now()) : null;
  }

  /** Whether this spec was well for its whole window; a job has to have run in it, and ended well. */
  hasProvenItself(spec: Spec): boolean {
    if (this.#key !== keyOfSpec(spec) || this.#failure !== null || this.#wellSinceMs === null) return false;
    if (this.#isJob && (this.#endBefore === null || this.#lastEnd === this.#endBefore)) return false;
    return this.#clock.now() - this.#wellSinceMs >= this.#windowMs;
  }

  get running(): Running {
    const { state = "unknown", pid = null, lastError = null } = this.#health ?? {};
    return {
      state,
      version: null,
      pid,
      starts: 0,
      lastError: this.#failure?.message ?? lastError,
    };
  }
}
