import type { SqlValue } from "./database.ts";

/** A table into which many rows go with one statement. */
export class PutTable {
  readonly #before: string;
  readonly #columns: number;
  readonly #after: string;
  readonly #texts = new Map<number, string>();

  /** `INSERT INTO table (columns) VALUES`, and what follows the rows: `ON CONFLICT …`. */
  constructor(before: string, columns: number, after = "") {
    this.#before = before;
    this.#columns = columns;
    this.#after = after;
  }

  /** The statement for so many rows. */
  insert(rows: number): string {
    let text = this.#texts.get(rows);
    if (text === undefined) {
      const places = Array.from({ length: rows }, (_, row) => this.#places(row * this.#columns));
      this.#texts.set(rows, (text = `${this.#before} ${places.join(", ")} ${this.#after}`));
    }
    return text;
  }

  #places(from: number): string {
    return `(${Array.from({ length: this.#columns }, (_, at) => `$${from + at + 1}`).join(", ")})`;
  }
}

type Values = readonly SqlValue[];
type Key = string | number;

/** Rows that wait to be sent, by table and key. */
export class PutRows {
  #tables = new Map<PutTable, Map<Key, Values>>();

  /** A row under a key takes the place of the one before it, which no statement could change twice. */
  put(table: PutTable, key: Key, values: Values): void {
    let rows = this.#tables.get(table);
    if (rows === undefined) this.#tables.set(table, (rows = new Map<Key, Values>()));
    rows.set(key, values);
  }

  get(table: PutTable, key: Key): Values | undefined {
    return this.#tables.get(table)?.get(key);
  }

  /** Adds what another one holds, and empties it. */
  take(other: PutRows): void {
    for (const [table, rows] of other.#tables) for (const [key, values] of rows) this.put(table, key, values);
    other.clear();
  }

  clear(): void {
    for (const rows of this.#tables.values()) rows.clear();
  }

  /**
   * Sends all of them, `most` at once, a power of two; a few
   * sizes of statements serve every number. It is empty then.
   */
  async send(most: number, run: (text: string, ...values: SqlValue[]) => Promise<number>): Promise<void> {
    for (const [table, rows] of this.#tables) {
      if (rows.size === 0) continue;
      const waiting = [...rows.values()];
      rows.clear();
      for (let at = 0, size = most; at < waiting.length; size /= 2) {
        for (; waiting.length - at >= size; at += size) {
          await run(table.insert(size), ...waiting.slice(at, at + size).flat());
        }
      }
    }
  }
}
