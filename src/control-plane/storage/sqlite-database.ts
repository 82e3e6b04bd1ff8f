import { Database as Connection, type Statement } from "bun:sqlite";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, reason } from "../../host/files.ts";
import type { Database, Sql, SqlValue } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { migrateSqlite } from "./sqlite-migrate.ts";
import type { Transaction } from "./write-batch.ts";

const BUSY_MS = 5_000;
/**
 * Of each connection. With the 2 MiB of SQLite pages are read anew for each promotion once there are a few thousand
 * pins; with much more each commit behind which pages were split looks through all of them.
 */
const CACHE_KIB = 8_192;

/** Opens or, with `create`, makes the database file and brings its tables up to date. Throws Failure. */
export function openSqlite(path: string, create: boolean): Database {
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
    connection.run(`PRAGMA cache_size = -${CACHE_KIB}`);
    // What a savepoint would need to go back to is kept in memory: a
    // batch is soon more than SQLite holds before it makes a file of it.
    connection.run("PRAGMA temp_store = MEMORY");
    migrateSqlite(connection, path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("data_dir_invalid", `${quoted(path)} cannot be opened: ${reason(error)}`, {
      cause: error,
    });
  }
  const writer = new SqliteTransaction(connection);
  const commits = new GroupCommit(writer, sqliteReason);
  // A connection of its own: reads must not see the half of a transaction that is still open.
  const reading = new Connection(path, { readonly: true, strict: true });
  reading.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  reading.run(`PRAGMA cache_size = -${CACHE_KIB}`);
  const reader = new SqliteConnection(reading);
  return {
    read: (act) => act(reader),
    write: (act) => commits.write(act),
    close: async () => {
      await commits.idle();
      reader.close();
      writer.close();
    },
  };
}

class SqliteConnection implements Sql {
  protected readonly connection: Connection;
  readonly #prepared = new Map<string, Statement<unknown, SqlValue[]>>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  rows = async <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> =>
    // The type of a row is written beside its statement; STRICT columns hold what it says.
    this.statement(text).all(...values) as Row[]; // oxlint-disable-line typescript/no-unsafe-type-assertion

  run = async (text: string, ...values: SqlValue[]): Promise<number> =>
    this.statement(text).run(...values).changes;

  close(): void {
    for (const statement of this.#prepared.values()) statement.finalize();
    this.connection.close(true);
  }

  protected statement(text: string): Statement<unknown, SqlValue[]> {
    let statement = this.#prepared.get(text);
    if (statement === undefined) {
      // `$1` is a name to SQLite, counted by first appearance; `?1` is the first parameter.
      statement = this.connection.prepare<unknown, SqlValue[]>(text.replace(/\$(\d+)/gu, "?$1"));
      this.#prepared.set(text, statement);
    }
    return statement;
  }
}

class SqliteTransaction extends SqliteConnection implements Transaction {
  // SQLite copies all the values of a statement before its first row: with many they are in no cache any more.
  readonly rowsAtOnce = 4;
  begin = async (): Promise<void> => this.#execute("BEGIN IMMEDIATE");
  commit = async (): Promise<void> => this.#execute("COMMIT");
  mark = async (): Promise<void> => this.#execute("SAVEPOINT one");
  keep = async (): Promise<void> => this.#execute("RELEASE one");

  undo = async (): Promise<void> => {
    this.#execute("ROLLBACK TO one");
    this.#execute("RELEASE one");
  };

  abandon = async (): Promise<void> => {
    if (this.connection.inTransaction) this.#execute("ROLLBACK");
  };

  #execute(text: string): void {
    this.statement(text).run();
  }
}

function sqliteReason(error: unknown): string {
  const code = errorCode(error);
  return code === "" ? String(error) : code;
}
