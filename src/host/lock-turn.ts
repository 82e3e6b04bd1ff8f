import { acquireLock, type Lock, type LockRequest } from "./locks.ts";

/**
 * One lock for several tasks of this process, which is given up whenever none of them needs it: other processes then
 * get their turn, as whoever puts an earlier version back must not wait for a slow server.
 */
export class LockTurn {
  readonly #wanted: LockRequest;
  #lock: Lock | null;
  /** Tasks that need it now. */
  #users = 1;
  #acquiring: Promise<void> | null = null;

  private constructor(wanted: LockRequest, lock: Lock) {
    this.#wanted = wanted;
    this.#lock = lock;
  }

  /** Takes the lock for the caller, who calls `leave` at the end. Throws Failure `lock_held` after the budget. */
  static async take(wanted: LockRequest): Promise<LockTurn> {
    return new LockTurn(wanted, await acquireLock(wanted));
  }

  /** Does something under the lock, beside the other tasks of this process. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.#enter();
      return await work();
    } finally {
      this.leave();
    }
  }

  /**
   * Does something that the lock is not needed for, and takes
   * the turn again; what it guards may have changed by then.
   */
  async away<T>(work: () => Promise<T>): Promise<T> {
    this.leave();
    try {
      return await work();
    } finally {
      await this.#enter();
    }
  }

  leave(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.#lock?.release();
    this.#lock = null;
  }

  /** Counts the caller even when it throws: `leave` is called all the same. */
  async #enter(): Promise<void> {
    this.#users++;
    while (this.#lock === null) {
      this.#acquiring ??= this.#acquire();
      await this.#acquiring;
    }
  }

  /** However long the other one takes: it was let in by us, and the kernel frees the lock of one that died. */
  async #acquire(): Promise<void> {
    try {
      this.#lock = await acquireLock({ ...this.#wanted, budgetMs: Number.POSITIVE_INFINITY });
    } finally {
      this.#acquiring = null;
    }
  }
}
