import type { PutTable } from "./put-rows.ts";
import type { WriteMemory } from "./write-memory.ts";

export type SqlValue = string | number | Uint8Array | null;

/**
 * One connection inside a read or a write. Parameters are `$1`, `$2`, …; `Row` is the shape that the statement
 * selects, and the typed columns of both engines keep it. Whole numbers are numbers, never more than 2^53.
 */
export type Sql = {
  readonly rows: <Row>(text: string, ...values: SqlValue[]) => Promise<Row[]>;
  /** How many rows it changed. */
  readonly run: (text: string, ...values: SqlValue[]) => Promise<number>;
};

/** One write, in a transaction that others share. */
export type WriteSql = Sql & {
  /**
   * A row that goes with those of other writes in one statement: before the next `rows` or `run`, or before the
   * commit. One under the same key takes its place. A row that the table refuses fails all who share the transaction,
   * so it has to be known before that it does not.
   */
  readonly put: (table: PutTable, key: string | number, values: readonly SqlValue[]) => void;
  /** What was put under the key and was not sent yet. */
  readonly waiting: (table: PutTable, key: string | number) => readonly SqlValue[] | undefined;
  /** As `rows`, without sending what was put: for tables into which nobody puts, or when `memory` knows what was. */
  readonly peek: Sql["rows"];
  readonly memory: WriteMemory;
};

/** What the nouns (pins, builds, …) see of a database: SQLite in a file, or PostgreSQL. */
export type Database = {
  /** Sees what was committed. One statement is one consistent view; two are not. */
  readonly read: <T>(act: (sql: Sql) => Promise<T>) => Promise<T>;
  /**
   * Writes are one after the other, over all servers of a database: what `act` reads is still so when it is
   * committed. Resolves when the change is on the disk. `act` must only await `sql`: others wait in the same
   * transaction. What it throws undoes its own statements and nobody else's. Throws Failure `storage_failed` when
   * the disk, the connection or the lock failed; what was sent may then have been committed or not.
   */
  readonly write: <T>(act: (sql: WriteSql) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};
