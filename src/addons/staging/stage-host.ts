import type { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { retryAfterMs } from "../../base/retry-after.ts";
import { remoteDisk } from "../../host/remote-disk.ts";
import { Attempts } from "./attempts.ts";
import { AuditLog } from "../audit/audit-log.ts";
import type { Assignment, AssignmentList } from "../assigned/assignment.ts";
import {
  readAssignments,
  weigh,
  type AssignmentsSource,
  type Fetched,
  type Known,
} from "../assigned/assignments-source.ts";
import { mergeOverrides, type HostList } from "../assigned/host-list.ts";
import { noteTime } from "../on-host/clock-mark.ts";
import { openForStaging } from "../on-host/open-root.ts";
import { forgetUnassigned } from "../on-host/last-known-good.ts";
import { StatusFailure } from "../../stores/http-status.ts";
import type { AddonResult } from "./outcome.ts";
import { stageAll } from "./stage-all.ts";
import type { Run } from "./run.ts";
import type { LockTurn } from "../../host/lock-turn.ts";
import type { Warning } from "../warning.ts";

export type HostRequest = {
  readonly source: AssignmentsSource;
  /** The override file of this host; null when none was named. */
  readonly overrideFile: string | null;
  /** Whether a host that never fetched a list, and cannot, is a failure. */
  readonly strict: boolean;
  /** Milliseconds to wait for another run on the same root. */
  readonly lockBudgetMs: number;
  /** Whether attempts that failed before are made again at once. */
  readonly retryNow: boolean;
  readonly now: () => Date;
  /** Told of the list, and for how long its server wants to be left alone, before anything of it is done. */
  readonly obeys?: (list: AssignmentList, askedMs: number | null) => void;
  readonly run: Omit<Run, "warn" | "audit" | "attempts" | "turn">;
};

export type HostReport = {
  readonly assignments: Known["from"];
  /** Which state of the list was obeyed; null when nobody named it. */
  readonly configVersion: string | null;
  readonly results: readonly AddonResult[];
  readonly warnings: readonly Warning[];
  /** What is assigned, with what the host itself says; null when nothing is known. */
  readonly assigned: readonly Assignment[] | null;
  /** For how many milliseconds the server wants to be left alone; null when it did not say. */
  readonly askedMs: number | null;
};

/** Brings a host to its assigned add-ons, once. Throws Failure when not even that could be tried. */
export async function stageHost(request: HostRequest): Promise<HostReport> {
  const { source, run } = request;
  // Before the lock and before the root is touched: a server may take its time, and a bad file changes nothing.
  const read = (): Promise<Fetched | Failure> => readAssignments(source, run.platform, run.layout, run.stop);
  const asked = await read();
  const root = await openForStaging(run.layout, request.lockBudgetMs, run.stop);
  try {
    // Whoever came second must not go back to a list that was older than the one the first obeyed.
    const isStale = root.waited && (source.kind === "url" || source.kind === "file");
    const fetched = isStale ? await root.turn.away(read) : asked;
    const known = weigh(fetched, run.layout, request.strict);
    const warnings = [
      ...sharedWarnings(run.layout.root),
      ...noteTime(run.layout.clock, request.now()),
      ...known.warnings,
    ];
    const askedMs =
      fetched instanceof StatusFailure ? retryAfterMs(fetched.headers, request.now().getTime()) : null;
    if (known.list !== null) request.obeys?.(known.list, askedMs);
    const host = known.list === null ? null : mergeOverrides(known.list, request.overrideFile);
    const told = new Set<string>();
    // Once each: what keeps an add-on going looks at much that its staging looked at before.
    const warn = (warning: Warning): void => {
      if (!told.has(warning.message)) warnings.push(warning);
      told.add(warning.message);
    };
    const isNew = isWhole(known, source);
    const results = host === null ? [] : await stageList(host, isNew, request, root.turn, warn);
    return {
      assignments: known.from,
      configVersion: known.list?.configVersion ?? null,
      results,
      warnings,
      assigned: host?.assignments ?? null,
      askedMs,
    };
  } finally {
    root.release();
  }
}

/** flock is local on some file systems: then two machines could stage into one root at once. */
function sharedWarnings(root: string): Warning[] {
  const kind = remoteDisk(root);
  if (kind === null) return [];
  const message = `${quoted(root)} lies on ${kind}, where a lock may hold on this machine alone; let no other machine stage into it`;
  return [{ code: "root_shared", message }];
}

/** Only the whole list, as it is now, says what is not assigned any more. */
function isWhole(known: Known, source: AssignmentsSource): boolean {
  return known.from === "source" && source.kind !== "document";
}

async function stageList(
  host: HostList,
  isNew: boolean,
  request: HostRequest,
  turn: LockTurn,
  warn: (warning: Warning) => void,
): Promise<AddonResult[]> {
  const { layout } = request.run;
  const audit = new AuditLog(layout.audit, request.now);
  for (const warning of host.warnings) warn(warning);
  // A remembered list, or a local file that could not be taken, says nothing about what is gone.
  if (isNew && !host.warnings.some(({ code }) => code === "override_ignored")) {
    const assigned = [...host.assignments, ...host.refused].map(({ addon_id: id }) => id);
    for (const warning of forgetUnassigned(layout, new Set(assigned), audit)) warn(warning);
  }
  const attempts = new Attempts(layout.attempts, request.now, Math.random, request.retryNow);
  try {
    return await stageAll(host.assignments, host.refused, { ...request.run, turn, warn, audit, attempts });
  } finally {
    for (const warning of attempts.save()) warn(warning);
  }
}
