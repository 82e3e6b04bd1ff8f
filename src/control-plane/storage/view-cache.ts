import type { Database } from "./database.ts";

/** More than this many and all are read anew: a bound, not a plan. */
const MOST = 50_000;

/** What changes no token and no host's list: nearly everything that happens all day. */
const BESIDE = ["host.report", "pin.promote", "pin.receipt", "build.record", "attestation.keep"];

/**
 * The number of the last event that may have changed a token or what hosts are assigned. Every change is an event, in
 * its own transaction, so whatever was read at one is still so. Requests that the event loop found readable together
 * share one look: it is later than the arrival of each.
 */
export class Revision {
  readonly #database: Database;
  #look: Promise<number> | null = null;
  #seen = -1;
  #last = -1;

  constructor(database: Database) {
    this.#database = database;
  }

  now(): Promise<number> {
    if (this.#look === null) {
      this.#look = this.#read();
      setImmediate(() => {
        this.#look = null;
      });
    }
    return this.#look;
  }

  async #read(): Promise<number> {
    const [head] = await this.#database.read((sql) =>
      sql.rows<{ seq: number }>("SELECT seq FROM event_head"),
    );
    const seq = head?.seq ?? 0;
    if (seq > this.#seen) {
      const counts = await this.#isAnyOf(this.#seen, seq);
      // Another look may have been quicker, and have seen more.
      if (counts) this.#last = Math.max(this.#last, seq);
      this.#seen = Math.max(this.#seen, seq);
    }
    return this.#last;
  }

  /** Whether an event behind `from`, up to `to`, is one that counts. */
  async #isAnyOf(from: number, to: number): Promise<boolean> {
    const found = await this.#database.read((sql) =>
      sql.rows(
        `SELECT 1 FROM events WHERE seq > $1 AND seq <= $2 AND decision = 'allowed'
           AND action NOT IN ($3, $4, $5, $6, $7) LIMIT 1`,
        from,
        to,
        ...BESIDE,
      ),
    );
    return found.length > 0;
  }
}

/** What was read since the last change; nothing of it outlives the next one, whoever made it. */
export class ViewCache<T> {
  readonly #values = new Map<string, T>();
  #revision = -1;

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
