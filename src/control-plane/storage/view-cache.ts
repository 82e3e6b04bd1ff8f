import type { Database } from "./database.ts";
import { readHead } from "./stored-head.ts";

/** More than this many and all are read anew: a bound, not a plan. */
const MOST = 50_000;

/**
 * The number of the last event that may have changed a token or what hosts are assigned. Every change is an event, in
 * its own transaction, so whatever was read at one is still so. Requests that the event loop found readable together
 * share one look: it is later than the arrival of each.
 */
export class Revision {
  readonly #database: Database;
  #look: Promise<number> | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  now(): Promise<number> {
    if (this.#look === null) {
      this.#look = this.#database.read(async ({ rows }) => (await readHead(rows))?.watched ?? 0);
      setImmediate(() => {
        this.#look = null;
      });
    }
    return this.#look;
  }
}

/** What was read since the last change; nothing of it outlives the next one, whoever made it. */
export class ViewCache<T> {
  readonly #values = new Map<string, T>();
  #revision = -1;

  /** What is kept, without a promise; undefined when it has to be read. */
  known(revision: number, key: string): T | undefined {
    return revision === this.#revision ? this.#values.get(key) : undefined;
  }

  /** `revision` was read before this is called, so what `read` sees is as new or newer. */
  async at(revision: number, key: string, read: () => Promise<T>): Promise<T> {
    if (revision !== this.#revision || this.#values.size >= MOST) {
      // An answer that was under way while another one saw a later change must not bring the earlier one back.
      if (revision < this.#revision) return read();
      this.#values.clear();
      this.#revision = revision;
    }
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = await read();
    if (revision === this.#revision) this.#values.set(key, value);
    return value;
  }
}
