import { Database as Connection } from "bun:sqlite";
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, fsyncDirectory, reason } from "../../host/files.ts";

/**
 * Copies a database that may be in use to a new file: the state of one moment, durable when this returns, and under
 * its name only when it is whole. Throws Failure `file_exists`, `no_space` or `output_not_written`.
 */
export function backUpSqlite(path: string, to: string): void {
  if (existsSync(to)) {
    throw new Failure("file_exists", `${quoted(to)} exists`, { hint: "name a file that is not there" });
  }
  const connection = new Connection(path, { readonly: true, strict: true });
  try {
    connection.run("PRAGMA busy_timeout = 5000");
    copyDatabase(connection, to);
  } catch (error) {
    const full = /FULL|ENOSPC/u.test(errorCode(error));
    throw new Failure(
      full ? "no_space" : "output_not_written",
      `${quoted(to)} cannot be written: ${reason(error)}`,
      { cause: error },
    );
  } finally {
    connection.close();
  }
}

/** `VACUUM INTO` reads one snapshot and stops no writer. */
export function copyDatabase(connection: Connection, to: string): void {
  const partial = `${to}.partial`;
  rmSync(partial, { force: true });
  try {
    // Empty and ours alone before a row is in it: it holds the digests of tokens.
    closeSync(openSync(partial, "wx", 0o600));
    connection.prepare<unknown, [string]>("VACUUM INTO ?1").run(partial);
    chmodSync(partial, 0o600);
    const written = openSync(partial, "r");
    fsyncSync(written);
    closeSync(written);
    renameSync(partial, to);
    fsyncDirectory(dirname(to));
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
