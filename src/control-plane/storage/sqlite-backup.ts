import { Database as Connection } from "bun:sqlite";
import { lstatSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, PendingFile, whyUnwritten } from "../../host/files.ts";

/**
 * Copies a database that may be in use to a new file: the state of one moment, durable when this returns, and under
 * its name only when it is whole. Throws Failure `file_exists`, `no_space` or `output_not_written`.
 */
export function backUpSqlite(path: string, to: string): void {
  try {
    // Seen before the work; whatever comes meanwhile is seen by `commitNew`.
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw exists(to);
    copyDatabase(path, to, "commitNew");
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (errorCode(error) === "EEXIST") throw exists(to);
    const full = /FULL|ENOSPC/u.test(errorCode(error));
    throw new Failure(
      full ? "no_space" : "output_not_written",
      `the database was not copied to ${quoted(to)}: ${whyUnwritten(error)}`,
      { cause: error },
    );
  }
}

function exists(to: string): Failure {
  return new Failure("file_exists", `${quoted(to)} exists`, { hint: "name a file that is not there" });
}

/** `VACUUM INTO` reads what is committed, one snapshot of it, and stops no writer. */
export function copyDatabase(path: string, to: string, end: "commit" | "commitNew"): void {
  const connection = new Connection(path, { readonly: true, strict: true });
  try {
    connection.run("PRAGMA busy_timeout = 5000");
    // Ours alone before a row is in it: it holds the digests of tokens.
    const pending = new PendingFile(to, 0o600);
    try {
      connection.prepare<unknown, [string]>("VACUUM INTO ?1").run(pending.temporary);
      pending[end]();
    } finally {
      pending.discard();
    }
  } finally {
    connection.close();
  }
}
