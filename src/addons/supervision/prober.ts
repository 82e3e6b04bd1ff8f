import type { Clockwork } from "./agent-parts.ts";
import { askProbe } from "./ask-probe.ts";
import { Notified } from "./notified.ts";
import type { OutputLog } from "./output-log.ts";
import type { Answer } from "./sidecar.ts";
import type { Ready } from "./start-plan.ts";

/** Asks one program how it is, and hears what it says by itself. */
export class Prober {
  readonly #log: OutputLog;
  readonly #clock: Clockwork;
  readonly #notified: Notified = new Notified();
  #isAsking = false;

  constructor(log: OutputLog, clock: Clockwork) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Before a start; gives what the program needs to know for it. */
  begin({ health: { probe }, state }: Ready): Record<string, string> {
    this.#notified.listen(probe.kind === "sd_notify" ? state : null);
    const isPlugin = probe.kind === "handshake" && probe.cookie !== null;
    return isPlugin ? { [probe.cookie.name]: probe.cookie.value } : this.#notified.variables;
  }

  /** For one that was started by somebody else: what it said then is not said again. */
  takeOver(ready: Ready): void {
    this.begin(ready);
    this.#notified.takeForReady(this.#clock.now());
  }

  hear(): void {
    this.#notified.hear(this.#clock.now());
  }

  /** null while it is being asked already: a program that does not answer is not asked by a crowd. */
  async ask({ health, launch, state }: Ready, stdoutFrom: number): Promise<Answer | null> {
    if (this.#isAsking) return null;
    this.#isAsking = true;
    const answer = await askProbe({
      health,
      launch,
      state,
      log: this.#log,
      stdoutFrom,
      notified: this.#notified.heard,
      now: this.#clock.now(),
      stop: this.#clock.stop,
    });
    this.#isAsking = false;
    return answer;
  }

  [Symbol.dispose](): void {
    this.#notified[Symbol.dispose]();
  }
}
