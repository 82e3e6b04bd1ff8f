import { existsSync } from "node:fs";
import type { AuditEvent } from "../audit/audit-chain.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Owed } from "../audit/owed-lines.ts";
import type { Warning } from "../warning.ts";
import { readCurrent } from "./current-link.ts";
import type { AddonPaths } from "./layout.ts";
import { owing, owingMore, type Pending, type Specs } from "./spec.ts";
import { settledSpecs, switchTo, writeSpecs } from "./specs-file.ts";

/** Specs as they are on the disk, and what there is to tell of them. */
export type Opened = { readonly specs: Specs; readonly warnings: readonly Warning[] };

/** The specs after what a killed run left was settled, and the lines written that it could not write any more. */
export function openSpecs(paths: AddonPaths, audit: AuditLog): Opened {
  const { specs, warnings } = settledSpecs(paths);
  if (specs.owed === undefined) return { specs, warnings };
  const paid = payOwed(paths, specs, audit, true);
  return { specs: paid.specs, warnings: [...warnings, ...paid.warnings] };
}

/** Writes specs, and the lines about them: a kill between the two leaves them owed, and the next run writes them. */
export function writeNoted(
  paths: AddonPaths,
  before: Specs,
  after: Specs,
  events: readonly AuditEvent[],
  audit: AuditLog,
): Opened {
  const written = owingMore(after, audit.owe(events));
  writeSpecs(paths, before, written);
  return payOwed(paths, written, audit, false);
}

/** The same for a switch. */
export function switchNoted(
  paths: AddonPaths,
  specs: Specs,
  pending: Pending,
  after: Specs,
  events: readonly AuditEvent[],
  audit: AuditLog,
): Opened {
  const written = switchTo(paths, specs, { ...pending, owed: audit.owe(events) }, after);
  return payOwed(paths, written, audit, false);
}

/** Notes with the specs what is about to be done beside them. Returns what is on the disk then. */
export function intend(
  paths: AddonPaths,
  before: Specs,
  after: Specs,
  events: readonly AuditEvent[],
  audit: AuditLog,
): Specs {
  const intending = owingMore(after, audit.owe(events, true));
  return writeSpecs(paths, before, intending) ? intending : before;
}

/** Writes the lines that are owed for what was done, and takes them out of the specs. */
export function payOwed(paths: AddonPaths, specs: Specs, audit: AuditLog, recovered: boolean): Opened {
  const looked = (specs.owed ?? []).map((line) => [line, happened(paths, line)] as const);
  const due = looked.flatMap(([line, did]) => (did === "yes" ? [line] : []));
  const warnings = audit.pay(due, recovered);
  const open = looked.flatMap(([line, did]) =>
    did === "unknown" || (did === "yes" && warnings.length > 0) ? [line] : [],
  );
  const paid = owing(specs, open);
  try {
    writeSpecs(paths, specs, paid);
    return { specs: paid, warnings };
  } catch {
    // On a full disk they stay: a later run finds them in the log.
    return { specs, warnings };
  }
}

/** What the specs do not show has to be looked for where it was done. */
function happened(paths: AddonPaths, { event, version = "", intended }: Owed): "yes" | "no" | "unknown" {
  if (intended !== true) return "yes";
  if (event === "removed") return existsSync(paths.version(version)) ? "no" : "yes";
  if (event === "withdrawn") return readCurrent(paths) === null ? "yes" : "no";
  return "unknown";
}

const REPAIRED = "repaired";

function isRepairOf(sha256: string, { event, intended, sha256: of }: Owed): boolean {
  return event === REPAIRED && intended === true && of === sha256;
}

/** Notes that an artifact is about to be made whole, once. */
export function intendRepair(
  paths: AddonPaths,
  specs: Specs,
  event: Omit<AuditEvent, "event"> & { readonly sha256: string },
  audit: AuditLog,
): Specs {
  if ((specs.owed ?? []).some((line) => isRepairOf(event.sha256, line))) return specs;
  return intend(paths, specs, specs, [{ ...event, event: REPAIRED }], audit);
}

/** The artifact was found whole: what was to make it so did. */
export function confirmRepair(paths: AddonPaths, specs: Specs, sha256: string, audit: AuditLog): Opened {
  const owed = specs.owed ?? [];
  if (!owed.some((line) => isRepairOf(sha256, line))) return { specs, warnings: [] };
  const done = owing(
    specs,
    owed.map((line) => (isRepairOf(sha256, line) ? { ...line, intended: false } : line)),
  );
  writeSpecs(paths, specs, done);
  return payOwed(paths, done, audit, true);
}

/** The specs without what was noted of a repair that is done now, and has a line of its own. */
export function withoutRepair(specs: Specs, sha256: string): Specs {
  return owing(
    specs,
    (specs.owed ?? []).filter((line) => !isRepairOf(sha256, line)),
  );
}
