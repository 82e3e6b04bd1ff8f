import { statSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "../assigned/assignment.ts";
import { readRemembered } from "../assigned/remembered-list.ts";
import { AuditLog } from "../audit/audit-log.ts";
import { readInventory } from "../on-host/inventory.ts";
import { readSpecs } from "../on-host/last-known-good.ts";
import type { Layout } from "../on-host/layout.ts";
import { sameSpec, type Specs } from "../on-host/spec.ts";
import { isSafeName, type SafeName } from "../names.ts";
import type { AddonResult } from "../staging/outcome.ts";
import { openExistingRoot } from "../on-host/open-root.ts";
import { stageHost, type HostReport, type HostRequest } from "../staging/stage-host.ts";
import { asFailure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { writeAtomic } from "../../host/files.ts";
import { reapOrphans } from "../../host/orphans.ts";
import type { Health } from "./health.ts";
import { keyOfSpec, planOfHostProgram, planOfSpec, type StartPlan } from "./start-plan.ts";
import { FIRST_PAUSE_MS } from "./sidecar.ts";
import { reportAll } from "./report-all.ts";
import type { HostStatus } from "./status-report.ts";
import { Supervised, type Clockwork } from "./supervised.ts";
import { Trials } from "./trials.ts";

export type AgentRequest = {
  readonly staging: HostRequest;
  readonly host: string;
  /** Health of what has no manifest. */
  readonly usual: Health;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clockwork;
  readonly say: { readonly info: (text: string) => void; readonly warn: (text: string) => void };
};

const STATUS_MODE = 0o644;
/** Of so many ticks one also does what is slow. */
const SLOW_TICKS = 5;

/** Everything that a host is assigned, staged and running. One at a time on a root: its caller holds the lock. */
export class Agent {
  readonly #request: AgentRequest;
  readonly #layout: Layout;
  readonly #trials: Trials;
  readonly #supervised: Map<SafeName, Supervised> = new Map();
  #results: readonly AddonResult[] = [];
  #assigned: readonly Assignment[] = [];
  #written = "";
  #ticks = 0;
  readonly #read: Map<SafeName, { readonly mark: string; readonly specs: Specs }> = new Map();
  /** What was told in the last round: the same trouble is not told every minute. */
  #told: ReadonlySet<string> = new Set();
  readonly #committing: Set<string> = new Set();
  /** What needs the root's lock is done one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(request: AgentRequest) {
    this.#request = request;
    this.#layout = request.staging.run.layout;
    this.#trials = new Trials(this.#layout, new AuditLog(this.#layout.audit, request.staging.now));
  }

  /** Takes over what an earlier agent left running, and starts what was assigned last: no network is needed. */
  begin(): void {
    for (const { id } of readInventory(this.#layout, [])) this.#of(id).adopt();
    if (this.#request.staging.source.kind !== "url") return;
    const remembered = readRemembered(this.#layout)?.list.assignments ?? [];
    for (const assignment of remembered) {
      if (assignment.enabled && isSafeName(assignment.addon_id))
        this.#want(assignment.addon_id, assignment, null);
    }
  }

  /** Brings the host to its list, and what runs to what is in place. Throws nothing: a failed round is told. */
  async round(): Promise<HostReport | null> {
    // Not behind what else waits for the lock, nor before it: a step back must not wait for a slow store.
    const report = await this.#tried(async () => {
      const { staging } = this.#request;
      const done = await stageHost({ ...staging, run: { ...staging.run, isGated: true } });
      this.#tell(done);
      return done;
    });
    if (report === null || report.assigned === null) return report;
    this.#results = report.results;
    this.#assigned = report.assigned;
    const assigned = new Map(report.assigned.map((one) => [one.addon_id, one]));
    for (const result of report.results) {
      const { addonId: id } = result;
      if (isSafeName(id)) this.#want(id, assigned.get(id) ?? null, result);
    }
    const known = new Set(report.results.map(({ addonId }) => addonId));
    for (const [id, one] of this.#supervised) if (!known.has(id)) one.unwant();
    return report;
  }

  #tell({ warnings, results }: HostReport): void {
    const failures = results.flatMap(({ addonId: id, failure }) =>
      failure === null ? [] : [`add-on ${quoted(id)}: ${failure.message}`],
    );
    const all = [...warnings.map(({ message }) => message), ...failures];
    for (const message of all) if (!this.#told.has(message)) this.#request.say.warn(message);
    this.#told = new Set(all);
  }

  tick(): void {
    for (const [id, one] of this.#supervised) {
      one.tick();
      this.#commitWhenWell(id, one);
    }
    if (this.#ticks++ % SLOW_TICKS !== 0) return;
    reapOrphans();
    this.#writeStatus();
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

  async end(): Promise<void> {
    await this.#queue;
    this.#writeStatus();
    for (const one of this.#supervised.values()) one[Symbol.dispose]();
  }

  status(): HostStatus {
    const addons = reportAll(this.#assigned, this.#results, this.#supervised, (id) => this.#specs(id));
    return { schema: "waybill.host-status/v1", host: this.#request.host, addons };
  }

  /** Read again when the file is another one: it is only ever replaced. */
  #specs(id: SafeName): Specs {
    const paths = this.#layout.addon(id);
    const status = statSync(paths.specs, { throwIfNoEntry: false });
    const mark = status === undefined ? "" : `${status.ino} ${status.mtimeMs} ${status.size}`;
    const known = this.#read.get(id);
    if (known?.mark === mark) return known.specs;
    const { specs } = readSpecs(paths);
    this.#read.set(id, { mark, specs });
    return specs;
  }

  /** What is in place decides what runs; `result` null stands for a round that was not made yet. */
  #want(id: SafeName, assignment: Assignment | null, result: AddonResult | null): void {
    const plan = this.#planFor(id, assignment, result);
    const one = this.#supervised.get(id);
    if (plan === null) return one?.unwant();
    const supervised = one ?? this.#of(id);
    if (supervised.runningKey !== plan.key) {
      // One that is nothing but started again and again is well at times.
      const { state, pauseMs } = supervised.sidecar;
      const isUp = state === "running" || state === "degraded" || state === "starting";
      const wasWell = supervised.plan === null || (isUp && pauseMs === FIRST_PAUSE_MS);
      this.#trials.begin(id, this.#specs(id), wasWell);
    }
    supervised.want(plan);
  }

  #planFor(id: SafeName, assignment: Assignment | null, result: AddonResult | null): StartPlan | null {
    const { environment, usual } = this.#request;
    if (result?.action === "use_host_binary") {
      const isSidecar =
        assignment !== null && (assignment.supervision || "agent_sidecar") === "agent_sidecar";
      return isSidecar ? planOfHostProgram(assignment, this.#layout, environment) : null;
    }
    if (result !== null && result.binaryPath === null) return null;
    const { active } = this.#specs(id);
    if (active === null || active.supervision !== "agent_sidecar") return null;
    return planOfSpec(active, this.#layout, environment, usual);
  }

  #of(id: SafeName): Supervised {
    const known = this.#supervised.get(id);
    if (known !== undefined) return known;
    const { say, clock } = this.#request;
    const paths = this.#layout.addon(id);
    const made = new Supervised(
      paths,
      {
        mayStart: () => this.#mayStart(id),
        blamed: (weight, why) => this.#blamed(id, weight, why),
        said: (message) => say.info(`add-on ${quoted(id)}: ${message}`),
      },
      clock,
    );
    this.#supervised.set(id, made);
    return made;
  }

  #mayStart(id: SafeName): boolean {
    const specs = this.#specs(id);
    if (this.#trials.countStart(id, specs) === "start") return true;
    this.#stepBack(id, specs);
    return false;
  }

  #blamed(id: SafeName, weight: number, why: string): void {
    const specs = this.#specs(id);
    const error = this.#supervised.get(id)?.lastError ?? "it ended";
    this.#request.say.warn(`add-on ${quoted(id)}: ${why}: ${error}`);
    if (this.#trials.countFault(id, specs, weight) === "fails") this.#stepBack(id, specs);
  }

  #stepBack(id: SafeName, { active }: Specs): void {
    if (active === null) return;
    void this.#locked(async () => {
      const said = await this.#trials.stepBack(id, active, this.#request.staging.run.stop);
      if (said === "") return;
      this.#request.say.warn(`add-on ${quoted(id)}: ${said}`);
      this.#want(id, null, null);
    });
  }

  /** The window is over: what runs is the last known good from now on. */
  #commitWhenWell(id: SafeName, one: Supervised): void {
    const since = one.wellFor();
    if (since === null || since < one.sidecar.health.window_ms || this.#committing.has(id)) return;
    const { active, last_known_good: good } = this.#specs(id);
    if (active === null || sameSpec(active, good)) return;
    // What is active may be newer than what was well for so long.
    if (one.runningKey === null || one.runningKey !== keyOfSpec(active)) return;
    this.#committing.add(id);
    const committed = this.#locked(() => {
      if (this.#trials.commit(id, active)) {
        this.#request.say.info(`add-on ${quoted(id)}: ${quoted(active.version)} is the last known good`);
      }
      return Promise.resolve();
    });
    void committed.finally(() => this.#committing.delete(id));
  }

  #locked(act: () => Promise<void>): Promise<void | null> {
    const { staging } = this.#request;
    return this.#alone(async () => {
      const lock = await openExistingRoot(this.#layout, staging.lockBudgetMs, staging.run.stop);
      try {
        await act();
      } finally {
        lock.release();
      }
    });
  }

  /** After everything that came before. */
  #alone<T>(act: () => Promise<T>): Promise<T | null> {
    const mine = this.#queue.then(() => this.#tried(act));
    this.#queue = mine;
    return mine;
  }

  /** null, and told, when it failed. */
  async #tried<T>(act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      if (!this.#request.clock.stop.aborted) this.#request.say.warn(asFailure(error).message);
      return null;
    }
  }

  /** For people and programs of this host. Nothing of a configuration is in it. */
  #writeStatus(): void {
    const text = `${JSON.stringify(this.status())}\n`;
    if (text === this.#written) return;
    this.#written = text;
    try {
      writeAtomic(join(this.#layout.root, "agent.json"), text, STATUS_MODE);
    } catch {
      // A full disk is told by what needs it; this is a copy.
    }
  }
}
