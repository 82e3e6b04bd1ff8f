import type { SQL } from "bun";
import { Failure } from "../../base/failure.ts";
import type { Sql, SqlValue } from "./database.ts";

/** What runs a statement: a pool, or one connection of it. */
export type Runner = Pick<SQL, "unsafe">;

/** Statements on a runner. What the connection failed with is Failure `storage_failed`; the rest is passed on. */
export class PostgresConnection implements Sql {
  readonly #runner: () => Runner;
  readonly #tries: number;

  /** More than one try is for runners that take another connection when one turns out to be closed. */
  constructor(runner: () => Runner, tries: number) {
    this.#runner = runner;
    this.#tries = tries;
  }

  rows = async <Row>(text: string, ...values: SqlValue[]): Promise<Row[]> => {
    const found: readonly Record<string, unknown>[] = await this.#send(text, values);
    // The type of a row is written beside its statement; the typed columns hold what it says.
    return found.map(withNumbers) as Row[]; // oxlint-disable-line typescript/no-unsafe-type-assertion
  };

  run = async (text: string, ...values: SqlValue[]): Promise<number> =>
    (await this.#send(text, values)).count;

  async #send(
    text: string,
    values: readonly SqlValue[],
  ): Promise<readonly Record<string, unknown>[] & { count: number }> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#runner().unsafe(text, [...values]);
      } catch (error) {
        if (wasClosed(error) && tried < this.#tries) continue;
        throw isConnectionFault(error)
          ? new Failure("storage_failed", `the database does not answer: ${postgresReason(error)}`, {
              cause: error,
            })
          : error;
      }
    }
  }
}

/** Every whole number that we store is below 2^53: promote requests with more are refused. */
function withNumbers(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    converted[name] = typeof value === "bigint" ? Number(value) : value;
  }
  return converted;
}

/** SQLSTATE classes of a server that is not there for us: connection, resources, operator, read-only standby, lock. */
const FAULTS = /^(?:08|53|57|58|25006|55P03)/u;

function isConnectionFault(error: unknown): boolean {
  const state = stateOf(error);
  return state === null ? codeOf(error).startsWith("ERR_POSTGRES_") : FAULTS.test(state);
}

/**
 * A connection that was there and has ended, of idleness or with its server. Only what changes nothing is sent again.
 */
export function wasClosed(error: unknown): boolean {
  return CLOSED.test(postgresReason(error));
}

const CLOSED = /^(?:57P0\d|ERR_POSTGRES_(?:CONNECTION_CLOSED|IDLE_TIMEOUT|LIFETIME_TIMEOUT))$/u;

/** The code alone: messages of a server may quote the values that were sent. */
export function postgresReason(error: unknown): string {
  if (error instanceof Failure) return postgresReason(error.cause);
  return stateOf(error) ?? (codeOf(error) || "unknown");
}

function stateOf(error: unknown): string | null {
  const state = typeof error === "object" && error !== null && "errno" in error ? error.errno : null;
  return typeof state === "string" && /^[0-9A-Z]{5}$/u.test(state) ? state : null;
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}
