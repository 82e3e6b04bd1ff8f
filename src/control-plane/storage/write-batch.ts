import type { EventHead } from "../events/event-chain.ts";
import type { Sql, SqlValue, WriteSql } from "./database.ts";
import { PutRows, type PutTable } from "./put-rows.ts";
import { WriteMemory } from "./write-memory.ts";

/** One transaction at a time on one connection, and inside it one savepoint at a time. */
export type Transaction = Sql & {
  readonly begin: () => Promise<void>;
  /** Resolves when everything since `begin` is on the disk. */
  readonly commit: () => Promise<void>;
  /** Leaves the connection usable, whatever happened; never rejects. */
  readonly abandon: () => Promise<void>;
  readonly mark: () => Promise<void>;
  readonly keep: () => Promise<void>;
  /** Back to the mark. Rejects when the transaction is gone as a whole, as after a full disk. */
  readonly undo: () => Promise<void>;
};

/**
 * Writes that share one transaction, one after the other. A write that only puts rows needs no savepoint: until it is
 * done nothing of it was sent.
 */
export class WriteBatch implements WriteSql {
  readonly memory: WriteMemory;
  readonly #transaction: Transaction;
  /** Of the writes that are done, and of the one that is under way. */
  readonly #done = new PutRows();
  readonly #own = new PutRows();
  readonly #begun: EventHead;
  #isMarked = false;
  /** What failed outside of a savepoint: then there is nothing to go back to but the begin. */
  #broken: { readonly error: unknown } | null = null;

  private constructor(transaction: Transaction, memory: WriteMemory) {
    this.#transaction = transaction;
    this.memory = memory;
    this.#begun = memory.head;
  }

  /** Begins a transaction, with what is known from the one before when nobody wrote since. */
  static async begin(transaction: Transaction, memory: WriteMemory | null): Promise<WriteBatch> {
    await transaction.begin();
    const [head] = await transaction.rows<EventHead>("SELECT seq, sha256 FROM event_head");
    if (head === undefined) throw new Error("the record of events has no head");
    return new WriteBatch(transaction, memory?.serves(head) === true ? memory : new WriteMemory(head));
  }

  rows = async <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> => {
    await this.#settle();
    return this.#transaction.rows<Row>(text, ...values);
  };

  run = async (text: string, ...values: SqlValue[]): Promise<number> => {
    await this.#settle();
    return this.#transaction.run(text, ...values);
  };

  peek = async <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> =>
    this.#isMarked
      ? this.#transaction.rows<Row>(text, ...values)
      : this.#outside(() => this.#transaction.rows<Row>(text, ...values));

  put = (table: PutTable, key: string | number, values: readonly SqlValue[]): void => {
    this.#own.put(table, key, values);
  };

  waiting = (table: PutTable, key: string | number): readonly SqlValue[] | undefined =>
    this.#own.get(table, key) ?? this.#done.get(table, key);

  /** One write. What it throws is thrown again when its statements are undone; `isBroken` tells when they are not. */
  async attempt<T>(act: (sql: WriteSql) => Promise<T>): Promise<T> {
    try {
      const value = await act(this);
      if (this.#broken !== null) throw this.#broken.error;
      if (this.#isMarked) await this.#transaction.keep();
      this.#isMarked = false;
      this.#done.take(this.#own);
      this.memory.keep();
      return value;
    } catch (error) {
      await this.#undo(error);
      throw error;
    }
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /** Resolves when all of it is on the disk. */
  async commit(): Promise<void> {
    await this.#done.send(this.#transaction.run);
    const { head } = this.memory;
    if (head !== this.#begun) {
      await this.#transaction.run("UPDATE event_head SET seq = $1, sha256 = $2", head.seq, head.sha256);
    }
    await this.#transaction.commit();
  }

  /** Before a statement that may see what was put, or fail by itself. */
  async #settle(): Promise<void> {
    if (!this.#isMarked) {
      await this.#outside(async () => {
        await this.#done.send(this.#transaction.run);
        await this.#transaction.mark();
      });
      this.#isMarked = true;
    }
    await this.#own.send(this.#transaction.run);
  }

  async #outside<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
  }

  async #undo(error: unknown): Promise<void> {
    this.#own.clear();
    this.memory.undo();
    if (!this.#isMarked) return;
    this.#isMarked = false;
    await this.#transaction.undo().catch(() => {
      this.#broken ??= { error };
    });
  }
}
