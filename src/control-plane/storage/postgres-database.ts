import { SQL } from "bun";
import { Failure } from "../../base/failure.ts";
import type { Database } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import { PostgresConnection, postgresReason, wasClosed } from "./postgres-connection.ts";
import { migratePostgres } from "./postgres-migrate.ts";
import { WRITE_LOCK } from "./postgres-lock.ts";
import type { Transaction } from "./write-batch.ts";

/** One of them writes, the others read. */
const CONNECTIONS = 8;
const CONNECT_SECONDS = 10;

/**
 * Opens the database and brings its tables up to date; several servers may do so at once. Throws Failure
 * `storage_failed` when it does not answer, `data_dir_invalid` when a newer waybill wrote it.
 */
export async function openPostgres({ url, shown }: PostgresAddress): Promise<Database> {
  const pool = new SQL({ url, max: CONNECTIONS, bigint: true, connectionTimeout: CONNECT_SECONDS });
  try {
    await migratePostgres(pool, shown);
  } catch (error) {
    await pool.close({ timeout: 0 });
    if (error instanceof Failure) throw error;
    throw new Failure("storage_failed", `${shown} cannot be used: ${postgresReason(error)}`, {
      hint: "see whether it runs, takes this user, and lets it make tables",
      cause: error,
    });
  }
  const writer = new PostgresTransaction(pool);
  const commits = new GroupCommit(writer, postgresReason);
  const reader = new PostgresConnection(() => pool, CONNECTIONS + 1);
  return {
    read: (act) => act(reader),
    write: (act) => commits.write(act),
    close: async () => {
      await commits.idle();
      await writer.release();
      await pool.close({ timeout: 5 });
    },
  };
}

type Reserved = Awaited<ReturnType<SQL["reserve"]>>;

/**
 * Write transactions of all servers of a database are one after the other, behind one lock that its holder gives free
 * with its commit or its connection: whoever is second sees what the first one committed, and waits instead of being
 * sent away with a conflict. Each statement reads what was committed when it began (READ COMMITTED), so after the
 * lock nothing moves under a transaction.
 */
class PostgresTransaction extends PostgresConnection implements Transaction {
  readonly #pool: SQL;
  #connection: Reserved | null = null;

  constructor(pool: SQL) {
    super(() => this.#connection ?? pool, 1);
    this.#pool = pool;
  }

  begin = async (): Promise<void> => {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#begin();
      } catch (error) {
        // Nothing was sent but BEGIN, so another connection may take it.
        await this.release();
        if (!wasClosed(error) || tried > CONNECTIONS) throw error;
      }
    }
  };

  commit = async (): Promise<void> => void (await this.run("COMMIT"));
  mark = async (): Promise<void> => void (await this.run("SAVEPOINT one"));
  keep = async (): Promise<void> => void (await this.run("RELEASE SAVEPOINT one"));
  undo = async (): Promise<void> => void (await this.run("ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one"));

  abandon = async (): Promise<void> => {
    await this.run("ROLLBACK").catch(() => this.release());
  };

  async release(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.release();
  }

  async #begin(): Promise<void> {
    if (this.#connection === null) {
      this.#connection = await this.#pool.reserve();
      await this.run(SESSION);
    }
    await this.run(`BEGIN ISOLATION LEVEL READ COMMITTED; ${WRITE_LOCK}`);
  }
}

/**
 * Whatever the server's defaults are: a commit is on its disk before it answers, a lock is waited for, and a server
 * of ours that hangs inside a transaction does not keep the others from writing.
 */
const SESSION = `SET synchronous_commit = on; SET lock_timeout = '10s'; SET statement_timeout = '30s';
  SET idle_in_transaction_session_timeout = '10s'`;
