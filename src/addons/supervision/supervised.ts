import { closeSync } from "node:fs";
import type { AddonPaths } from "../on-host/layout.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { killLeftovers, signalGroup, startChild, type Ended } from "../../host/children.ts";
import { bootId, isAlive } from "../../host/process-table.ts";
import { randomHex } from "../../host/random.ts";
import type { Clockwork } from "./agent-parts.ts";
import { OutputLog } from "./output-log.ts";
import { Prober } from "./prober.ts";
import {
  clearRunNote,
  START_VARIABLE,
  tryToNote,
  writeRunNote,
  type Running as RunningNote,
} from "./run-note.ts";
import { sidecarStep, STOPPED, wellFor, type Fault, type Sidecar, type SidecarEvent } from "./sidecar.ts";
import type { Ready, StartPlan } from "./start-plan.ts";
import type { Running } from "./status-report.ts";
import { askedOf, type Seen } from "./whose-fault.ts";

/** What the agent is asked and told about one program. */
export type Watcher = {
  /** Before each start; false when it must not be made. */
  readonly mayStart: () => boolean;
  readonly blamed: (weight: number, why: Fault, seen: Seen | null) => void;
  /** Whenever something else is known of what runs than before. */
  readonly seen: (seen: Seen) => void;
  readonly said: (message: string) => void;
};

type Process = RunningNote & { readonly isOwn: boolean };

/** One supervised program: does what `sidecar.ts` decides, and tells it what happened. */
export class Supervised {
  readonly #paths: AddonPaths;
  readonly #watcher: Watcher;
  readonly #clock: Clockwork;
  readonly #log: OutputLog;
  #sidecar: Sidecar = STOPPED;
  #plan: StartPlan | null = null;
  #ready: Ready | null = null;
  #isLearning = false;
  #process: Process | null = null;
  readonly #prober: Prober;
  /** Why it did not run the last time; null when it does. */
  #lastError: string | null = null;
  #starts = 0;
  #seen: Seen | null = null;

  constructor(paths: AddonPaths, watcher: Watcher, clock: Clockwork) {
    this.#paths = paths;
    this.#watcher = watcher;
    this.#clock = clock;
    this.#log = new OutputLog(paths);
    this.#prober = new Prober(this.#log, clock);
  }

  get sidecar(): Sidecar {
    return this.#sidecar;
  }

  /** As it is reported. One that is being ended is neither up nor down. */
  get running(): Running {
    const state = this.#sidecar.killMs === null ? this.#sidecar.state : "restarting";
    const pid = this.#process?.leader.pid ?? null;
    const version = this.#plan?.version ?? null;
    return { state, version, pid, starts: this.#starts, lastError: this.#lastError };
  }

  /** What runs, as opposed to what shall. */
  get runningKey(): string | null {
    return this.#process?.note.key ?? null;
  }

  wellFor(): number | null {
    return wellFor(this.#sidecar, this.#clock.now());
  }

  /** Takes over what an earlier supervisor started. Call it first. */
  adopt(found: RunningNote): void {
    this.#process = { ...found, isOwn: false };
    this.#event({ kind: "adopted", health: this.#sidecar.health });
    this.#watcher.said(`process ${found.leader.pid} was running before; it is supervised again`);
  }

  want(plan: StartPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    const isOther = this.#process !== null && this.#process.note.key !== plan.key;
    const anew = isOther || (before !== null && before.key !== plan.key);
    const isNews = before?.key !== plan.key || !this.#sidecar.wanted;
    if (isNews) this.#event({ kind: "wanted", health: this.#sidecar.health, anew });
    // The one that was adopted is asked as its manifest says, which has to be read first, and whole.
    if (!anew && this.#process !== null && this.#ready === null) void this.#learn(plan);
  }

  unwant(): void {
    this.#plan = null;
    this.#event({ kind: "unwanted" });
  }

  tick(): void {
    const running = this.#process;
    if (running !== null) {
      this.#prober.hear(running.note.stdout_from);
      if (this.#log.trim()) this.#noteCut(running);
      if (!running.isOwn && !isAlive(running.leader)) this.#ended(running, { code: null, signal: null });
    }
    this.#event({ kind: "tick" });
  }

  /** The beginning of its output is gone: what was read there is kept for whoever comes after us. */
  #noteCut(running: Process): void {
    const listening = this.#prober.listening ?? running.note.listening;
    const note = { ...running.note, stdout_from: 0, listening };
    this.#process = { ...running, note };
    tryToNote(this.#paths, note);
  }

  /** Ends it now, whatever time it was given. */
  kill(): void {
    if (this.#process !== null) signalGroup(this.#process.leader, "SIGKILL");
  }

  #event(event: SidecarEvent): void {
    const { next, actions } = sidecarStep(this.#sidecar, event, this.#clock.now(), this.#clock.random());
    this.#sidecar = next;
    this.#tellSeen();
    for (const action of actions) {
      if (action.do === "start") void this.#start();
      else if (action.do === "probe") void this.#ask();
      else if (action.do === "blame") this.#blame(action.weight, action.why);
      else if (this.#process !== null)
        signalGroup(this.#process.leader, action.do === "kill" ? "SIGKILL" : "SIGTERM");
    }
  }

  #blame(weight: number, why: Fault): void {
    if (why === "never_ready") this.#lastError = "it was not ready in time";
    if (why === "unhealthy") this.#lastError = "its probe failed too often";
    this.#watcher.blamed(weight, why, this.#seen);
  }

  #tellSeen(): void {
    const { answer, fault } = this.#sidecar;
    const sha256 = this.#plan?.sha256 ?? null;
    if (sha256 === null || (answer === null && fault === null)) return;
    const seen = { sha256, probe: askedOf(this.#sidecar), answer, fault };
    if (Bun.deepEquals(seen, this.#seen)) return;
    this.#seen = seen;
    this.#watcher.seen(seen);
  }

  async #start(): Promise<void> {
    const plan = this.#plan;
    // Not in the turn in which it was decided: who decided is not done yet.
    await Promise.resolve();
    if (plan === null) return this.#event({ kind: "exited" });
    try {
      const ready = await plan.prepare(this.#clock.stop);
      ready.requireUnchanged();
      // Meanwhile something else may be wanted, or nothing.
      if (this.#plan?.key !== plan.key || !this.#sidecar.wanted || this.#sidecar.killMs !== null) {
        return this.#event({ kind: "exited" });
      }
      if (!this.#watcher.mayStart()) return this.#event({ kind: "not_started", own: false });
      this.#spawn(ready, plan);
    } catch (error) {
      this.#lastError = storageFailure(error, this.#paths.directory).message;
      this.#watcher.said(`did not start: ${this.#lastError}`);
      this.#event({ kind: "not_started", own: false });
    }
  }

  #spawn(ready: Ready, plan: StartPlan): void {
    this.#ready = ready;
    this.#sidecar = { ...this.#sidecar, health: ready.health };
    const output = this.#log.open();
    try {
      const nonce = randomHex(16);
      const started = { nonce, boot: bootId(), key: plan.key, stdout_from: output.from };
      writeRunNote(this.#paths, { ...started, pid: null, start_ticks: null });
      const env = { ...ready.launch.env, [START_VARIABLE]: nonce, ...this.#prober.begin(ready) };
      const child = startChild({ ...ready.launch, env, stdout: output.stdout, stderr: output.stderr });
      this.#starts++;
      if (child.kind === "not_started") {
        this.#lastError = `the machine did not start it (${child.code})`;
        return this.#event({ kind: "not_started", own: !child.isMachine });
      }
      const { pid, startTicks } = child.child;
      const note = { ...started, pid, start_ticks: startTicks };
      const running = { leader: child.child, note, isOwn: true };
      this.#process = running;
      this.#event({ kind: "started" });
      void child.ended.then((ended) => this.#ended(running, ended));
      tryToNote(this.#paths, note);
    } finally {
      closeSync(output.stdout);
      closeSync(output.stderr);
    }
  }

  /** How an adopted program is to be asked; a later round tries again what fails. */
  async #learn(plan: StartPlan): Promise<void> {
    if (this.#isLearning) return;
    this.#isLearning = true;
    try {
      const ready = await plan.prepare(this.#clock.stop);
      if (this.#plan?.key !== plan.key || this.#process === null) return;
      this.#ready = ready;
      this.#sidecar = { ...this.#sidecar, health: ready.health };
      this.#prober.takeOver(ready, this.#process.note.listening);
      this.#event({ kind: "started" });
    } catch (error) {
      this.#lastError = storageFailure(error, this.#paths.directory).message;
    } finally {
      this.#isLearning = false;
    }
  }

  #ended(running: Process, { code, signal }: Ended): void {
    if (this.#process !== running && this.#process?.note.nonce !== running.note.nonce) return;
    this.#process = null;
    // What it left behind would hold its files and ports when it is started again.
    killLeftovers(START_VARIABLE, running.note.nonce);
    clearRunNote(this.#paths);
    const how = signal === null ? `with ${code ?? "an unknown code"}` : `by ${signal}`;
    if (!this.#sidecar.planned && this.#sidecar.killMs === null) this.#lastError = `it ended ${how}`;
    this.#watcher.said(`process ${running.leader.pid} ended ${how}`);
    this.#event({ kind: "exited" });
  }

  async #ask(): Promise<void> {
    const [ready, running] = [this.#ready, this.#process];
    if (ready === null || running === null) return;
    const answer = await this.#prober.ask(ready);
    if (answer === null) return;
    if (this.#process?.note.nonce !== running.note.nonce) return;
    if (answer === "well") this.#lastError = null;
    this.#event({ kind: "probed", answer });
  }

  [Symbol.dispose](): void {
    this.#prober[Symbol.dispose]();
  }
}
