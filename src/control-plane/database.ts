import { Database as Connection, type Statement } from "bun:sqlite";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, reason } from "../host/files.ts";
import { migrate } from "./migrations.ts";

export type SqlValue = string | number | Uint8Array | null;

/**
 * One connection inside a read or a write. Parameters are `$1`, `$2`, …; `Row` is the shape that the statement
 * selects, and the STRICT tables keep it.
 */
export type Sql = {
  readonly rows: <Row>(text: string, ...values: SqlValue[]) => Promise<Row[]>;
  /** How many rows it changed. */
  readonly run: (text: string, ...values: SqlValue[]) => Promise<number>;
};

/** What the nouns (pins, builds, …) see of the database; another engine implements the same three. */
export type Database = {
  /** Sees what was committed. One statement is one consistent view; two are not. */
  readonly read: <T>(act: (sql: Sql) => Promise<T>) => Promise<T>;
  /**
   * Resolves when the change is on the disk. `act` must only await `sql`: others wait in the same transaction.
   * What it throws undoes its own statements and nobody else's. Throws Failure `storage_failed` when the disk
   * or the lock failed.
   */
  readonly write: <T>(act: (sql: Sql) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

const BUSY_MS = 5_000;
/** More than this many writes behind one fsync only makes the first of them wait. */
const BATCH = 512;

/** Opens or, with `create`, makes the database file and brings its tables up to date. Throws Failure. */
export function openDatabase(path: string, create: boolean): Database {
  if (!create && !existsSync(path)) {
    throw new Failure("data_dir_invalid", `no control plane has run here: ${quoted(path)} does not exist`, {
      hint: "pass the --data folder of the server",
    });
  }
  let connection: Connection;
  try {
    // Made by us, because SQLite would make it readable to everybody; its -wal and -shm inherit the mode.
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    connection = new Connection(path, { readwrite: true, strict: true });
    connection.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    connection.run("PRAGMA journal_mode = WAL");
    connection.run("PRAGMA synchronous = FULL");
    connection.run("PRAGMA foreign_keys = ON");
    connection.run("PRAGMA wal_autocheckpoint = 4000");
    connection.run("PRAGMA journal_size_limit = 67108864");
    migrate(connection, path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("data_dir_invalid", `${quoted(path)} cannot be opened: ${reason(error)}`, {
      cause: error,
    });
  }
  return new SqliteDatabase(connection, path);
}

/** A write that waits for its turn. `run` hands back what is to be told after COMMIT. */
type Job = {
  readonly run: (sql: Sql) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
};

/**
 * Group commit: writes that arrive while others are being committed share the next transaction and its one fsync,
 * each behind its own savepoint. Ten times the throughput of a transaction each, at full durability.
 */
class SqliteDatabase implements Database {
  readonly #writer: Engine;
  readonly #reader: Engine;
  #queue: Job[] = [];
  #working: Promise<void> | null = null;

  constructor(connection: Connection, path: string) {
    this.#writer = new Engine(connection);
    // A connection of its own: reads must not see the half of a transaction that is still open.
    const reading = new Connection(path, { readonly: true, strict: true });
    reading.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    this.#reader = new Engine(reading);
  }

  read = <T>(act: (sql: Sql) => Promise<T>): Promise<T> => act(this.#reader);

  write = <T>(act: (sql: Sql) => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const run = async (sql: Sql): Promise<() => void> => {
        const value = await act(sql);
        return () => resolve(value);
      };
      this.#queue.push({ run, reject });
      this.#working ??= this.#work();
    });

  close = async (): Promise<void> => {
    await this.#working;
    this.#reader.close();
    this.#writer.close();
  };

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      // One turn of the event loop, so that every request that is already readable joins this batch.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#commit(this.#queue.splice(0, BATCH));
    }
    this.#working = null;
  }

  async #commit(batch: readonly Job[]): Promise<void> {
    const sql = this.#writer;
    const afterwards: (() => void)[] = [];
    try {
      sql.exec("BEGIN IMMEDIATE");
      for (const job of batch) afterwards.push(await this.#attempt(job));
      sql.exec("COMMIT");
    } catch (error) {
      if (sql.inTransaction) sql.exec("ROLLBACK");
      const failure = new Failure("storage_failed", `the database took no write: ${sqliteReason(error)}`, {
        cause: error,
      });
      for (const job of batch) job.reject(failure);
      return;
    }
    for (const tell of afterwards) tell();
  }

  async #attempt(job: Job): Promise<() => void> {
    const sql = this.#writer;
    sql.exec("SAVEPOINT one");
    try {
      const tell = await job.run(sql);
      sql.exec("RELEASE one");
      return tell;
    } catch (error) {
      // A full disk makes SQLite end the whole transaction: then nobody's change is safe.
      if (!sql.inTransaction) throw error;
      sql.exec("ROLLBACK TO one");
      sql.exec("RELEASE one");
      return () => job.reject(error);
    }
  }
}

class Engine implements Sql {
  readonly #connection: Connection;
  readonly #prepared = new Map<string, Statement<unknown, SqlValue[]>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  rows = async <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> =>
    // The type of a row is written beside its statement; STRICT columns hold what it says.
    this.#statement(text).all(...values) as Row[]; // oxlint-disable-line typescript/no-unsafe-type-assertion

  run = async (text: string, ...values: SqlValue[]): Promise<number> =>
    this.#statement(text).run(...values).changes;

  exec(text: string): void {
    this.#statement(text).run();
  }

  close(): void {
    for (const statement of this.#prepared.values()) statement.finalize();
    this.#connection.close(true);
  }

  #statement(text: string): Statement<unknown, SqlValue[]> {
    let statement = this.#prepared.get(text);
    if (statement === undefined) {
      // `$1` is a name to SQLite, counted by first appearance; `?1` is the first parameter.
      statement = this.#connection.prepare<unknown, SqlValue[]>(text.replace(/\$(\d+)/gu, "?$1"));
      this.#prepared.set(text, statement);
    }
    return statement;
  }
}

function sqliteReason(error: unknown): string {
  const code = errorCode(error);
  return code === "" ? String(error) : code;
}
