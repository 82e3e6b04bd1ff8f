import type { Clockwork } from "./agent-parts.ts";
import { askProbe } from "./ask-probe.ts";
import { readHandshake, type Listening } from "./handshake.ts";
import { Notified } from "./notified.ts";
import type { OutputLog } from "./output-log.ts";
import type { Answer } from "./sidecar.ts";
import type { Ready } from "./start-plan.ts";

/** Asks one program how it is, and hears what it says by itself. */
export class Prober {
  readonly #log: OutputLog;
  readonly #clock: Clockwork;
  readonly #notified: Notified = new Notified();
  #isPlugin = false;
  #listening: Listening | null = null;
  #isAsking = false;

  constructor(log: OutputLog, clock: Clockwork) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Before a start; gives what the program needs to know for it. */
  begin({ health: { probe }, state }: Ready): Record<string, string> {
    this.#notified.listen(probe.kind === "sd_notify" ? state : null);
    this.#isPlugin = probe.kind === "handshake";
    this.#listening = null;
    const hasCookie = probe.kind === "handshake" && probe.cookie !== null;
    return hasCookie ? { [probe.cookie.name]: probe.cookie.value } : this.#notified.variables;
  }

  /** For one that was started by somebody else: what it said then is not said again. */
  takeOver(ready: Ready, listening: Listening | undefined): void {
    this.begin(ready);
    this.#listening = listening ?? null;
    this.#notified.takeForReady(this.#clock.now());
  }

  /** Where its handshake said that it listens; null before, and for one that says none. */
  get listening(): Listening | null {
    return this.#listening;
  }

  /** `stdoutFrom` is where its output begins: a handshake stands there once, until the log is cut. */
  hear(stdoutFrom: number): void {
    this.#notified.hear(this.#clock.now());
    if (this.#isPlugin) this.#listening ??= readHandshake(this.#log.firstLine(stdoutFrom) ?? "");
  }

  /** null while it is being asked already: a program that does not answer is not asked by a crowd. */
  async ask({ health, launch, state }: Ready): Promise<Answer | null> {
    if (this.#isAsking) return null;
    this.#isAsking = true;
    const answer = await askProbe({
      health,
      launch,
      state,
      listening: this.#listening,
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
