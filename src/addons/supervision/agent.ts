import type { Assignment, AssignmentList } from "../assigned/assignment.ts";
import { readAssignments } from "../assigned/assignments-source.ts";
import { lasting, sameList } from "../assigned/same-list.ts";
import { shownPlatform } from "../assigned/platform.ts";
import { readRemembered } from "../assigned/remembered-list.ts";
import { AuditLog } from "../audit/audit-log.ts";
import { addonIds } from "../on-host/inventory.ts";
import type { Layout } from "../on-host/layout.ts";
import { isSafeName, type SafeName } from "../names.ts";
import type { AddonResult } from "../staging/outcome.ts";
import type { Warning } from "../warning.ts";
import { stageHost, type HostReport, type HostRequest } from "../staging/stage-host.ts";
import { Failure } from "../../base/failure.ts";
import { sha256Of } from "../../base/hashing.ts";
import { quoted } from "../../base/printable.ts";
import type { Clock } from "../../host/clock.ts";
import { reapOrphans } from "../../host/orphans.ts";
import type { Systemd } from "../../host/systemd.ts";
import { StatusFailure } from "../../stores/http-status.ts";
import type { AgentParts, Clockwork } from "./agent-parts.ts";
import { weighWish, type Wishes } from "./flapping.ts";
import type { Health } from "./health.ts";
import { HostedUnits } from "./hosted-units.ts";
import { reportAll } from "./report-all.ts";
import { RootQueue } from "./root-queue.ts";
import { Sidecars } from "./sidecars.ts";
import { SpecsCache } from "./specs-cache.ts";
import { planOfHostProgram, planOfSpec, type StartPlan } from "./start-plan.ts";
import { StatusFile } from "./status-file.ts";
import type { HostStatus } from "./status-report.ts";
import { Trials } from "./trials.ts";

export type AgentRequest = {
  readonly staging: HostRequest;
  /** The same with the time, the keys and the permissions of now: an agent runs for months. */
  readonly renewed: () => Promise<HostRequest>;
  readonly host: string;
  /** Health of what has no manifest. */
  readonly usual: Health;
  /** Or why this host has none. */
  readonly systemd: Systemd | Failure;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clockwork & Clock;
  readonly say: { readonly info: (text: string) => void; readonly warn: (text: string) => void };
};

/** Of so many ticks one also does what is slow. */
const SLOW_TICKS = 5;
const UNIT_MODELS = ["systemd_service", "systemd_timer"];

/** Everything that a host is assigned, staged and running. One at a time on a root: its caller holds the lock. */
export class Agent {
  readonly #request: AgentRequest;
  readonly #layout: Layout;
  readonly #parts: AgentParts;
  readonly #sidecars: Sidecars;
  readonly #units: HostedUnits;
  /** Models whose versions are on trial until they were well for a while. */
  readonly #gated: ReadonlySet<string>;
  readonly #file: StatusFile;
  readonly #wishes: Map<string, Wishes> = new Map();
  #results: readonly AddonResult[] = [];
  #assigned: readonly Assignment[] = [];
  #configVersion: string | null = null;
  /** As it came, without what this host says; null while its server wants not to be asked. */
  #obeyed: AssignmentList | null = null;
  #ticks = 0;
  /** What was told in the last round: the same trouble is not told every minute. */
  #told: ReadonlySet<string> = new Set();

  constructor(request: AgentRequest) {
    const { staging, clock, say, systemd, usual } = request;
    const { layout } = staging.run;
    this.#request = request;
    this.#layout = layout;
    this.#parts = {
      layout,
      specs: new SpecsCache(layout),
      trials: new Trials(layout, new AuditLog(layout.audit, staging.now)),
      queue: new RootQueue(layout, staging.lockBudgetMs, clock.stop, say.warn),
      clock,
      say,
    };
    this.#file = new StatusFile(layout);
    this.#sidecars = new Sidecars(this.#parts, (id) => this.#want(id, null, null));
    this.#units = new HostedUnits(this.#parts, systemd, usual.window_ms);
    // Who cannot be seen to be well would be on trial for ever.
    this.#gated = new Set(["agent_sidecar", ...(systemd instanceof Failure ? [] : UNIT_MODELS)]);
  }

  /** Takes over what an earlier agent left running, and starts what was assigned last: no network is needed. */
  begin(): void {
    for (const id of addonIds(this.#layout)) this.#sidecars.adopt(id);
    if (this.#request.staging.source.kind !== "url") return;
    const remembered = readRemembered(this.#layout);
    if (remembered === null) return;
    // The first round tells it as well, unless it gets a list.
    if (remembered instanceof Failure) return this.#request.say.warn(remembered.message);
    this.#assigned = remembered.list.assignments;
    this.#configVersion = remembered.list.configVersion;
    for (const assignment of this.#assigned) {
      if (assignment.enabled && isSafeName(assignment.addon_id))
        this.#want(assignment.addon_id, assignment, null);
    }
  }

  /**
   * Brings the host to its list, and what runs to what is in place. Throws nothing: a failed round is told. With
   * `overtaken` it is left where it is; what was fetched is gone on with by the next one.
   */
  async round(overtaken: AbortSignal): Promise<HostReport | null> {
    // Not behind what else waits for the lock: a step back is not to wait for a slow store.
    const report = await this.#parts.queue.tried(overtaken, async () => {
      const staging = await this.#request.renewed();
      const obeys = (list: AssignmentList, askedMs: number | null): void =>
        void (this.#obeyed = askedMs === null ? list : null);
      const settled = (result: AddonResult, assignment: Assignment | null): void => {
        if (isSafeName(result.addonId)) this.#want(result.addonId, assignment, result);
      };
      const stop = AbortSignal.any([staging.run.stop, overtaken]);
      const steady = (assignment: Assignment): Warning | null => this.#steady(assignment);
      const run = { ...staging.run, stop, gated: this.#gated, settled, steady };
      return stageHost({ ...staging, obeys, run });
    });
    if (overtaken.aborted) this.#parts.say.info("the list changed while it was obeyed: it is obeyed anew");
    if (report === null) return null;
    this.#tell(report);
    if (report.assigned === null) return report;
    this.#results = report.results;
    this.#assigned = report.assigned;
    this.#configVersion = report.configVersion;
    this.#sidecars.keepOnly(new Set(report.results.map(({ addonId }) => addonId)));
    const units = report.results.filter(
      ({ addonId: id, outcome }) => outcome !== "disabled" && isSafeName(id) && this.#isUnit(id),
    );
    await this.#units.bring(units);
    return report;
  }

  /** Whether somebody assigned something else since the list was read. One that cannot be read says nothing. */
  async hasOtherList(stop: AbortSignal): Promise<boolean> {
    const { source, run } = this.#request.staging;
    if (this.#obeyed === null || source.kind === "standard_input") return false;
    try {
      const now = await readAssignments(source, run.platform, run.layout, stop);
      if (!(now instanceof Failure)) return !sameList(now.list, this.#obeyed);
      if (now instanceof StatusFailure && now.headers.has("retry-after")) this.#obeyed = null;
      return false;
    } catch {
      return false;
    }
  }

  /** Why an add-on stays what it is, although something else is asked; null when it does not. */
  #steady(assignment: Assignment): Warning | null {
    const { addon_id: id } = assignment;
    const now = this.#parts.clock.now();
    const key = sha256Of(JSON.stringify(lasting(assignment)));
    const { wishes, isHeld } = weighWish(this.#wishes.get(id) ?? null, key, now);
    this.#wishes.set(id, wishes);
    if (!isHeld) return null;
    const message = `add-on ${quoted(id)} was asked to go back and forth; it stays what it is for some minutes`;
    return { code: "flapping", message };
  }

  #isUnit(id: SafeName): boolean {
    const { active } = this.#parts.specs.of(id);
    return active !== null && UNIT_MODELS.includes(active.supervision);
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
    this.#sidecars.tick();
    if (this.#ticks++ % SLOW_TICKS !== 0) return;
    this.#units.tick();
    reapOrphans();
    this.#file.write(this.status());
  }

  /** Asks every program to end; then call `tick` until `isQuiet`. What systemd runs goes on. */
  drain(): void {
    this.#sidecars.drain();
  }

  kill(): void {
    this.#sidecars.kill();
  }

  get isQuiet(): boolean {
    return this.#sidecars.isQuiet;
  }

  async end(): Promise<void> {
    await this.#parts.queue.end();
    this.#file.write(this.status());
    this.#sidecars[Symbol.dispose]();
  }

  status(): HostStatus {
    const { platform, layout } = this.#request.staging.run;
    const running = new Map([...this.#sidecars.running(), ...this.#units.running()]);
    const { specs, trials } = this.#parts;
    const known = {
      assigned: this.#assigned,
      results: this.#results,
      running,
      specsOf: specs.of.bind(specs),
      isTroubleOfTheHost: trials.isTroubleOfTheHost.bind(trials),
    };
    return {
      schema: "waybill.host-status/v1",
      host: this.#request.host,
      platform: shownPlatform(platform),
      config_version: this.#configVersion,
      addons: reportAll(known, platform, layout),
    };
  }

  /** What is in place decides what runs; `result` null stands for a round that was not made yet. */
  #want(id: SafeName, assignment: Assignment | null, result: AddonResult | null): void {
    this.#sidecars.want(id, this.#planFor(id, assignment, result));
  }

  #planFor(id: SafeName, assignment: Assignment | null, result: AddonResult | null): StartPlan | null {
    const { environment, usual } = this.#request;
    if (result?.action === "use_host_binary") {
      const isSidecar =
        assignment !== null && (assignment.supervision || "agent_sidecar") === "agent_sidecar";
      return isSidecar ? planOfHostProgram(assignment, this.#layout, environment) : null;
    }
    if (result !== null && result.binaryPath === null) return null;
    const { active } = this.#parts.specs.of(id);
    if (active === null || active.supervision !== "agent_sidecar") return null;
    return planOfSpec(active, this.#layout, environment, usual);
  }
}
