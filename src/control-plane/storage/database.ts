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
  readonly write: <T>(act: (sql: Sql) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};
