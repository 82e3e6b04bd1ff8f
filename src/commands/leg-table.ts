import type { Table, TableRow } from "../cli/table.ts";
import { exitOfLeg, type Leg } from "../pins/leg.ts";
import { GLOBAL_REGION } from "../pins/pin.ts";

/** The legs of a run for a person at a terminal. What scripts read is a line a leg, or the JSON document. */
export function legTable(legs: readonly Leg[]): Table {
  const short = shortener(
    legs.flatMap(({ wanted, before, after }) =>
      [wanted.digest, before?.digest, after?.row.digest].filter((digest) => digest !== undefined),
    ),
  );
  return {
    columns: ["result", "environment", "template", "outcome", "digest (sha256)", "attempts", "time"],
    rows: legs.map((leg) => rowOf(leg, short)),
    heading: 3,
  };
}

function rowOf(leg: Leg, short: (digest: string) => string): TableRow {
  const { target, wanted, outcome, attempts } = leg;
  const [result, tone] = resultOf(leg);
  const region = wanted.region === GLOBAL_REGION ? "" : ` (${wanted.region})`;
  const ms = attempts.reduce((sum, attempt) => sum + attempt.ms + (attempt.retryInMs ?? 0), 0);
  const cells = [result, target.env, `${wanted.template}${region}`, outcome, digestsOf(leg, short)];
  return { cells: [...cells, `${attempts.length}`, shownTime(ms)], tone };
}

function resultOf(leg: Leg): [string, TableRow["tone"]] {
  if (leg.outcome === "would_change") return ["CHANGE", "notice"];
  if (leg.outcome === "superseded" && leg.failure === null) return ["SKIPPED", "notice"];
  return exitOfLeg(leg) === 0 ? ["OK", "good"] : ["FAILED", "bad"];
}

/** Ends at which a row that is not known was not read; at the others there was none. */
const UNREAD: ReadonlySet<Leg["outcome"]> = new Set(["failed", "outcome_unknown", "written_unverified"]);

/** What was there, and what is there now or would be. */
function digestsOf({ outcome, wanted, before, after }: Leg, short: (digest: string) => string): string {
  const was = before === null ? (UNREAD.has(outcome) ? "not read" : "none") : short(before.digest);
  if (outcome === "would_change") return `${was} → ${short(wanted.digest)}`;
  if (after !== null) {
    const now = short(after.row.digest);
    return was === now ? now : `${was} → ${now}`;
  }
  if (before === null || outcome === "superseded" || before.digest === wanted.digest) return was;
  return `${was}, not ${short(wanted.digest)}`;
}

/** Digests cut to as many characters as tell all of them apart, and no fewer than people are used to. */
export function shortener(digests: readonly string[]): (digest: string) => string {
  const hex = [...new Set(digests.map(hexOf))];
  let length = 12;
  while (new Set(hex.map((one) => one.slice(0, length))).size < hex.length) length++;
  return (digest) => `${hexOf(digest).slice(0, length)}…`;
}

function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}

export function shownTime(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(ms / 1_000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
