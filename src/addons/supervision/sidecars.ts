import { sameSpec, type Specs } from "../on-host/spec.ts";
import type { SafeName } from "../names.ts";
import { quoted } from "../../base/printable.ts";
import type { AgentParts } from "./agent-parts.ts";
import { stillRunning } from "./run-note.ts";
import { keyOfSpec, type StartPlan } from "./start-plan.ts";
import type { Running } from "./status-report.ts";
import type { Seen } from "./whose-fault.ts";
import { Supervised } from "./supervised.ts";

/** The programs that run under this agent, and what their health says about versions on trial. */
export class Sidecars {
  readonly #parts: AgentParts;
  readonly #supervised: Map<SafeName, Supervised> = new Map();
  readonly #committing: Set<string> = new Set();
  readonly #wentBack: (id: SafeName) => void;

  /** `wentBack` is called when another version is active, because the one before it failed its trial. */
  constructor(parts: AgentParts, wentBack: (id: SafeName) => void) {
    this.#parts = parts;
    this.#wentBack = wentBack;
  }

  running(): ReadonlyMap<SafeName, Running> {
    return new Map([...this.#supervised].map(([id, { running }]) => [id, running]));
  }

  /** Takes over what an earlier agent left running. Call it first. */
  adopt(id: SafeName): void {
    const found = stillRunning(this.#parts.layout.addon(id));
    if (found !== null) this.#of(id).adopt(found);
  }

  /** null ends it. */
  want(id: SafeName, plan: StartPlan | null): void {
    const one = this.#supervised.get(id);
    if (plan === null) return one?.unwant();
    const supervised = one ?? this.#of(id);
    if (supervised.runningKey !== plan.key) this.#parts.trials.begin(id, this.#parts.specs.of(id));
    supervised.want(plan);
  }

  tick(): void {
    for (const [id, one] of this.#supervised) {
      one.tick();
      this.#commitWhenWell(id, one);
    }
  }

  /** Ends what is not among these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const [id, one] of this.#supervised) if (!ids.has(id)) one.unwant();
  }

  /** Asks everything to end; then call `tick` until `isQuiet`. */
  drain(): void {
    for (const one of this.#supervised.values()) one.unwant();
  }

  kill(): void {
    for (const one of this.#supervised.values()) one.kill();
  }

  get isQuiet(): boolean {
    return [...this.#supervised.values()].every(({ sidecar }) => !sidecar.alive);
  }

  [Symbol.dispose](): void {
    for (const one of this.#supervised.values()) one[Symbol.dispose]();
  }

  #of(id: SafeName): Supervised {
    const known = this.#supervised.get(id);
    if (known !== undefined) return known;
    const watcher = {
      mayStart: () => this.#mayStart(id),
      blamed: (weight: number, why: string, seen: Seen | null) => this.#blamed(id, weight, why, seen),
      seen: (seen: Seen) => this.#saw(id, seen),
      said: (message: string) => this.#parts.say.info(`add-on ${quoted(id)}: ${message}`),
    };
    const made = new Supervised(this.#parts.layout.addon(id), watcher, this.#parts.clock);
    this.#supervised.set(id, made);
    return made;
  }

  #mayStart(id: SafeName): boolean {
    const specs = this.#parts.specs.of(id);
    if (this.#parts.trials.countStart(id, specs) === "start") return true;
    this.#stepBack(id, specs);
    return false;
  }

  #blamed(id: SafeName, weight: number, why: string, seen: Seen | null): void {
    const specs = this.#parts.specs.of(id);
    const error = this.#supervised.get(id)?.running.lastError ?? "it ended";
    this.#parts.say.warn(`add-on ${quoted(id)}: ${why}: ${error}`);
    // What is active may be newer than what failed; a program of the host has no versions here.
    if (seen === null || specs.active?.artifact_sha256 !== seen.sha256) return;
    if (this.#parts.trials.countFault(id, specs, weight, seen) === "fails") this.#stepBack(id, specs);
  }

  #saw(id: SafeName, seen: Seen): void {
    const { trials, queue, say } = this.#parts;
    if (!trials.see(id, seen)) return;
    void queue.locked(() => {
      const said = trials.unblock(id);
      if (said !== "") say.warn(`add-on ${quoted(id)}: ${said}`);
      return Promise.resolve();
    });
  }

  #stepBack(id: SafeName, { active }: Specs): void {
    if (active === null) return;
    void this.#parts.queue.locked(async () => {
      const said = await this.#parts.trials.stepBack(id, active, this.#parts.clock.stop);
      if (said === "") return;
      this.#parts.say.warn(`add-on ${quoted(id)}: ${said}`);
      this.#wentBack(id);
    });
  }

  /** The window is over: what runs is the last known good from now on. */
  #commitWhenWell(id: SafeName, one: Supervised): void {
    const since = one.wellFor();
    if (since === null || since < one.sidecar.health.window_ms || this.#committing.has(id)) return;
    const { active, last_known_good: good } = this.#parts.specs.of(id);
    if (active === null || sameSpec(active, good)) return;
    // What is active may be newer than what was well for so long.
    if (one.runningKey === null || one.runningKey !== keyOfSpec(active)) return;
    this.#committing.add(id);
    const committed = this.#parts.queue.locked(() => {
      const said = this.#parts.trials.commit(id, active);
      if (said !== "") this.#parts.say.info(said);
      return Promise.resolve();
    });
    void committed.finally(() => this.#committing.delete(id));
  }
}
