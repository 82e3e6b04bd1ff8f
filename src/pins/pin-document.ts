import { printable } from "../base/printable.ts";
import type { FailureDocument } from "../base/failure.ts";
import { shownUrl, type Connection } from "../host/http.ts";
import { exitOfLeg, type Leg } from "./leg.ts";
import type { PinNote, PinRow, WantedPin } from "./pin.ts";

type RowDocument = {
  digest: string;
  git_sha: string | null;
  seq: number | null;
  promoted_at: string | null;
  promoted_by: string | null;
  /** How the listing departed from what servers of today send. */
  remarks: string[];
};

type LegDocument = {
  env: string;
  origin: string;
  template: string;
  region: string;
  ok: boolean;
  outcome: string;
  exit_code: number;
  before: RowDocument | null;
  after: (RowDocument & { reads: number }) | null;
  attempts: {
    method: string;
    status: number | null;
    result: string;
    ms: number;
    retry_in_ms?: number;
  }[];
  /** The proxy that the environment was reached through, without its credential. */
  proxy: { address: string; from: string } | null;
  race_window: string | null;
  warnings: { code: string; message: string }[];
  receipt?: { version: number; keyid: string; state: string };
  error: FailureDocument | null;
};

/** The members of the `promote --json` and `verify pin --json` documents. */
export function pinDocument(
  pins: readonly WantedPin[],
  note: PinNote | null,
  legs: readonly Leg[],
  connection: (url: URL) => Connection,
): {
  checked: number;
  request: Record<string, string | number | Record<string, string>[]>;
  legs: LegDocument[];
} {
  const [only] = pins;
  return {
    // Only a leg whose row was read counts as checked.
    checked: legs.filter((leg) => leg.after !== null || leg.before !== null).length,
    request: {
      ...(pins.length === 1 && only !== undefined ? { template: only.template, digest: only.digest } : {}),
      region: only?.region ?? "",
      pins: pins.map(({ template, digest }) => ({ template, digest })),
      ...(only?.unwanted === true ? { not: only.digest } : {}),
      ...(note?.gitSha === undefined ? {} : { git_sha: note.gitSha }),
      ...(note?.notes === undefined ? {} : { notes: note.notes }),
      ...(note?.seq === undefined ? {} : { seq: note.seq }),
      ...(note?.force === undefined ? {} : { reason: note.force.reason }),
    },
    legs: legs.map((leg) => legDocument(leg, connection(leg.target.base))),
  };
}

function legDocument(leg: Leg, { proxy }: Connection): LegDocument {
  return {
    env: leg.target.env,
    origin: leg.target.base.origin,
    template: leg.wanted.template,
    region: leg.wanted.region,
    ok: exitOfLeg(leg) === 0,
    outcome: leg.outcome,
    exit_code: exitOfLeg(leg),
    before: leg.before === null ? null : rowDocument(leg.before),
    after: leg.after === null ? null : { ...rowDocument(leg.after.row), reads: leg.after.reads },
    attempts: leg.attempts.map(({ retryInMs, ...attempt }) => ({
      ...attempt,
      ...(retryInMs === undefined ? {} : { retry_in_ms: retryInMs }),
    })),
    proxy: proxy === undefined || proxy === null ? null : { address: proxy.shown, from: proxy.from },
    race_window: leg.raceWindow,
    warnings: leg.warnings.map(({ code, message }) => ({ code, message })),
    ...(leg.receipt === undefined ? {} : { receipt: { ...leg.receipt } }),
    error: leg.failure?.toDocument() ?? null,
  };
}

function rowDocument(row: PinRow): RowDocument {
  return {
    digest: row.digest,
    git_sha: inert(row.gitSha),
    seq: row.seq,
    promoted_at: inert(row.promotedAt),
    promoted_by: inert(row.promotedBy),
    remarks: [...row.remarks],
  };
}

function inert(text: string | null): string | null {
  return text === null ? null : printable(text, 200);
}

/** One line a leg; a proven one begins with OK, as the scripts that this replaces say it. */
export function describeLegs(legs: readonly Leg[]): string {
  let lines = "";
  for (const leg of legs) lines += `${describeLeg(leg)}\n`;
  return lines;
}

function describeLeg(leg: Leg): string {
  const what = `${leg.target.env}: ${leg.wanted.template} (${leg.wanted.region})`;
  if (leg.outcome === "would_change")
    return `CHANGE  ${what} would change: ${leg.before?.digest ?? "no pin"} -> ${leg.wanted.digest}`;
  if (leg.outcome === "superseded" && leg.failure === null)
    return `SKIPPED ${what} superseded: build ${leg.before?.seq} is pinned, ${leg.before?.digest}`;
  if (leg.after === null) return `FAILED  ${what} ${leg.outcome} at ${shownUrl(leg.target.base)}`;
  const reads = leg.after.reads === 1 ? "1 read" : `${leg.after.reads} equal reads`;
  const was =
    leg.before === null
      ? ", no pin before"
      : leg.before.digest === leg.after.row.digest
        ? ""
        : `, was ${leg.before.digest}`;
  return `OK      ${what} ${leg.outcome}: ${leg.after.row.digest} proven by ${reads}${was}${receiptOf(leg)}`;
}

function receiptOf({ receipt }: Leg): string {
  return receipt === undefined ? "" : `, receipt ${receipt.state} for version ${receipt.version}`;
}
