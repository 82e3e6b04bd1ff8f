import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = process.env["WAYBILL_CONFORMANCE"];

/** Whether that file of the conformance data is here; tests that need it skip visibly otherwise. */
export function hasConformance(name: string): boolean {
  return FOLDER !== undefined && existsSync(join(FOLDER, name));
}

/** The document, whose shape the caller knows; null when it is not here. */
export function readConformance(name: string): unknown {
  if (FOLDER === undefined || !hasConformance(name)) return null;
  return JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
}
