import type { SqlValue } from "./database.ts";

/** The condition that a column has one of these values, one at least, which go behind `values`. */
export function oneOf(column: string, wanted: readonly SqlValue[], values: SqlValue[]): string {
  return `${column} IN (${wanted.map((value) => `$${values.push(value)}`).join(", ")})`;
}

/**
 * The same behind another condition, for names that are all when they are null. A page cut afterwards would tell where
 * it ended.
 */
export function among(column: string, names: readonly string[] | null, values: SqlValue[]): string {
  return names === null ? "" : `AND ${oneOf(column, names, values)}`;
}
