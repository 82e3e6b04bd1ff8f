import { addonIds, readInventory } from "../on-host/inventory.ts";
import { sameSpec, type Spec } from "../on-host/spec.ts";
import { isSafeName, type SafeName } from "../names.ts";
import type { AddonResult } from "../staging/outcome.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Systemd } from "../../host/systemd.ts";
import type { AgentParts } from "./agent-parts.ts";
import { hasUnits, removeUnits } from "./bring-units.ts";
import { HostedUnit } from "./hosted-unit.ts";
import type { Running } from "./status-report.ts";

const LOOK_MS = 5_000;

/**
 * What runs as units of systemd. A step back is systemd's to
 * ask for (`OnFailure=`); that a version is good is said here.
 */
export class HostedUnits {
  readonly #parts: AgentParts;
  /** Or why there is none. */
  readonly #systemd: Systemd | Failure;
  readonly #usualWindowMs: number;
  readonly #hosted: Map<SafeName, HostedUnit> = new Map();
  /** Assigned as units on a host that has none. */
  readonly #impossible: Set<SafeName> = new Set();
  #isLooking = false;
  #lookedMs = 0;

  constructor(parts: AgentParts, systemd: Systemd | Failure, usualWindowMs: number) {
    this.#parts = parts;
    this.#systemd = systemd;
    this.#usualWindowMs = usualWindowMs;
  }

  /** Units for these add-ons and for no other one of this root. What is not in place now keeps what it has. */
  async bring(results: readonly AddonResult[]): Promise<void> {
    const systemd = this.#systemd;
    const wanted = new Set(results.map(({ addonId }) => addonId).filter(isSafeName));
    this.#impossible.clear();
    if (systemd instanceof Failure) {
      for (const id of wanted) this.#impossible.add(id);
      return;
    }
    const { queue, clock, layout } = this.#parts;
    for (const { addonId: id, binaryPath } of results)
      if (binaryPath !== null && isSafeName(id))
        await queue.tried(clock.stop, () => this.#bringOne(id, systemd));
    for (const id of addonIds(layout))
      if (!wanted.has(id)) await queue.tried(clock.stop, () => this.#removeOne(id, systemd));
  }

  async #removeOne(id: SafeName, systemd: Systemd): Promise<void> {
    const { queue, layout, say } = this.#parts;
    this.#hosted.delete(id);
    if (!hasUnits(id, layout)) return;
    await queue.locked(async () => {
      const { removed } = await removeUnits(id, layout, null, systemd);
      say.info(`add-on ${quoted(id)}: ${removed.join(", ")} removed, as it is not to run here`);
    });
  }

  async #bringOne(id: SafeName, systemd: Systemd): Promise<void> {
    const { specs, trials, queue, layout, clock, say } = this.#parts;
    const spec = specs.of(id).active;
    if (spec === null) return;
    const hosted = this.#hosted.get(id) ?? new HostedUnit(id, systemd, clock);
    this.#hosted.set(id, hosted);
    if (!hosted.isDue(spec)) return;
    if (hosted.seen !== null) trials.see(id, hosted.seen);
    trials.begin(id, specs.of(id));
    await queue.locked(async () => {
      const [addon] = readInventory(layout, [id]);
      const failure = addon === undefined ? null : await hosted.bring(addon, layout, this.#usualWindowMs);
      if (failure !== null) say.warn(`add-on ${quoted(id)}: ${failure.message}`);
    });
  }

  /** Now and then, beside everything else. */
  tick(): void {
    const { now } = this.#parts.clock;
    if (this.#isLooking || this.#hosted.size === 0 || now() - this.#lookedMs < LOOK_MS) return;
    this.#isLooking = true;
    void this.#lookAtAll().finally(() => {
      this.#isLooking = false;
      this.#lookedMs = now();
    });
  }

  async #lookAtAll(): Promise<void> {
    const { specs } = this.#parts;
    for (const [id, hosted] of this.#hosted) {
      await hosted.look();
      const { active, last_known_good: good } = specs.of(id);
      if (active === null || sameSpec(active, good) || !hosted.hasProvenItself(active)) continue;
      await this.#commit(id, active);
    }
  }

  async #commit(id: SafeName, active: Spec): Promise<void> {
    const { queue, trials, say } = this.#parts;
    await queue.locked(() => {
      const said = trials.commit(id, active);
      if (said !== "") say.info(said);
      return Promise.resolve();
    });
  }

  running(): ReadonlyMap<SafeName, Running> {
    const systemd = this.#systemd;
    const all = new Map([...this.#hosted].map(([id, { running }]) => [id, running] as const));
    if (!(systemd instanceof Failure)) return all;
    const stopped = { state: "stopped", version: null, pid: null, starts: 0, lastError: systemd.message };
    for (const id of this.#impossible) all.set(id, stopped);
    return all;
  }
}
