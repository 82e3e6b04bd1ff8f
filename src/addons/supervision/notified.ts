import { join } from "node:path";
import { NotifySocket } from "../../host/notify-socket.ts";

/** Whether a program said READY=1, and when it last said WATCHDOG=1, on the clock of whoever hears it. */
export type Heard = { readonly ready: boolean; readonly lastMs: number };

/** What one program says of itself, as sd_notify(3) has it. */
export class Notified implements Disposable {
  #socket: NotifySocket | null = null;
  #heard: Heard | null = null;

  /**
   * Begins anew for the next start; `state` is the folder of the socket, null for a program that is asked otherwise.
   */
  listen(state: string | null): void {
    this[Symbol.dispose]();
    this.#heard = null;
    this.#socket = state === null ? null : new NotifySocket(join(state, ".waybill-notify"));
  }

  get variables(): Record<string, string> {
    return this.#socket === null ? {} : { NOTIFY_SOCKET: this.#socket.path };
  }

  get heard(): Heard | null {
    return this.#heard;
  }

  /** What it said once to who started it, it does not say again. */
  takeForReady(now: number): void {
    if (this.#socket !== null) this.#heard = { ready: true, lastMs: now };
  }

  hear(now: number): void {
    if (this.#socket === null) return;
    const lines = this.#socket.read();
    const before = this.#heard;
    const isAlive = lines.includes("WATCHDOG=1") || lines.includes("READY=1");
    this.#heard = {
      ready: (before?.ready ?? false) || lines.includes("READY=1"),
      lastMs: isAlive ? now : (before?.lastMs ?? now),
    };
  }

  [Symbol.dispose](): void {
    this.#socket?.[Symbol.dispose]();
    this.#socket = null;
  }
}
