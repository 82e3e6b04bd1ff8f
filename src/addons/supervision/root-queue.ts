import type { Layout } from "../on-host/layout.ts";
import { openExistingRoot } from "../on-host/open-root.ts";
import { storageFailure } from "../on-host/storage-failure.ts";

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

  /** At once, beside whatever waits; null when it failed, and told unless somebody wanted it to end. */
  async tried<T>(given: AbortSignal, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      if (!given.aborted && !this.#stop.aborted) this.#warn(storageFailure(error, this.#layout.root).message);
      return null;
    }
  }

  /** After everything that came before, under the root's lock. */
  locked(act: () => Promise<void>): Promise<void | null> {
    const mine = this.#last.then(() => this.tried(this.#stop, () => this.#underLock(act)));
    this.#last = mine;
    return mine;
  }

  async #underLock(act: () => Promise<void>): Promise<void> {
    const lock = await openExistingRoot(this.#layout, this.#budgetMs, this.#stop);
    try {
      await act();
    } finally {
      lock.release();
    }
  }

  async end(): Promise<void> {
    await this.#last;
  }
}
