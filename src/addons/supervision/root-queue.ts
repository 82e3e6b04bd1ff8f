import type { Layout } from "../on-host/layout.ts";
import { openExistingRoot } from "../on-host/open-root.ts";
import { asFailure } from "../../base/failure.ts";

/** What changes a root is done one after the other: the root's lock would make each wait for its own process. */
export class RootQueue {
  readonly #layout: Layout;
  readonly #budgetMs: number;
  readonly #stop: AbortSignal;
  readonly #warn: (text: string) => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout, budgetMs: number, stop: AbortSignal, warn: (text: string) => void) {
    this.#layout = layout;
    this.#budgetMs = budgetMs;
    this.#stop = stop;
    this.#warn = warn;
  }

  /** After everything that came before; null, and told, when it failed. */
  after<T>(act: () => Promise<T>): Promise<T | null> {
    const mine = this.#last.then(() => this.beside(act));
    this.#last = mine;
    return mine;
  }

  /** At once, for what takes turns at the lock by itself; null, and told, when it failed. */
  async beside<T>(act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      if (!this.#stop.aborted) this.#warn(asFailure(error).message);
      return null;
    }
  }

  /** The same, under the root's lock. */
  locked(act: () => Promise<void>): Promise<void | null> {
    return this.after(async () => {
      const lock = await openExistingRoot(this.#layout, this.#budgetMs, this.#stop);
      try {
        await act();
      } finally {
        lock.release();
      }
    });
  }

  async end(): Promise<void> {
    await this.#last;
  }
}
