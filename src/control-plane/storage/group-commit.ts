import { Failure } from "../../base/failure.ts";
import type { WriteSql } from "./database.ts";
import { WriteBatch, type Transaction } from "./write-batch.ts";
import type { WriteMemory } from "./write-memory.ts";

/**
 * A write that waits for its turn. `run` hands back what is to
 * be told after the commit, and rejects when there is none.
 */
type Job = {
  readonly run: (batch: WriteBatch) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
};

/** More than this many writes behind one fsync only makes the first of them wait. */
const BATCH = 512;

/**
 * Group commit: writes that arrive while others are being committed share the next transaction and its one fsync, and
 * the statements into which they put rows. Ten times the throughput of a transaction each, at full durability.
 */
export class GroupCommit {
  readonly #transaction: Transaction;
  readonly #describe: (error: unknown) => string;
  #queue: Job[] = [];
  #working: Promise<void> | null = null;
  /** Of the transaction that was committed last. */
  #memory: WriteMemory | null = null;

  /** `describe` says of an engine's error what may be shown. */
  constructor(transaction: Transaction, describe: (error: unknown) => string) {
    this.#transaction = transaction;
    this.#describe = describe;
  }

  write<T>(act: (sql: WriteSql) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = async (batch: WriteBatch): Promise<() => void> => {
        try {
          const value = await batch.attempt(act);
          return () => resolve(value);
        } catch (error) {
          if (batch.isBroken) throw error;
          return () => reject(error);
        }
      };
      this.#queue.push({ run, reject });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      // One turn of the event loop, so that every request that is already readable joins this batch.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#commit(this.#queue.splice(0, BATCH));
    }
    this.#working = null;
  }

  async #commit(batch: readonly Job[]): Promise<void> {
    const afterwards: (() => void)[] = [];
    const known = this.#memory;
    this.#memory = null;
    try {
      const written = await WriteBatch.begin(this.#transaction, known);
      for (const job of batch) afterwards.push(await job.run(written));
      await written.commit();
      this.#memory = written.memory;
    } catch (error) {
      await this.#transaction.abandon();
      const text = `the database took no write: ${this.#describe(error)}`;
      const failure = new Failure("storage_failed", text, { cause: error });
      for (const job of batch) job.reject(failure);
      return;
    }
    for (const tell of afterwards) tell();
  }
}
