import type { ImageDigest } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { PinNote, PinRow, WantedPin } from "./pin.ts";
import type { Condition, Standing, Stop } from "./standing.ts";

/** What a promotion is asked for besides the pin. */
export type Intent = {
  /** What must be pinned now; "none" for no row at all. */
  readonly expectPrevious?: ImageDigest | "none" | undefined;
  /** Write although the digest is there, for a new time stamp. */
  readonly touch?: boolean;
};

/** What a promotion does next, of what was read. */
export type NextWrite =
  /** `condition` is null on a server that writes whatever happened in between. */
  | { readonly does: "write"; readonly condition: Condition | null }
  /** A newer build is there: `row` proves it. */
  | { readonly does: "yield"; readonly row: PinRow }
  | { readonly does: "refuse"; readonly failure: Failure };

/**
 * For a row that is not what was wanted, or one to be touched. `row` is null when there is no pin yet; `standing` is
 * null on a server without conditional writes.
 */
export function nextWrite(
  row: PinRow | null,
  standing: Standing | null,
  wanted: WantedPin,
  note: PinNote,
  intent: Intent,
): NextWrite {
  const mine = note.seq;
  const theirs = row?.seq ?? null;
  const isOlder = mine !== undefined && theirs !== null && mine < theirs;
  if (row !== null && isOlder && note.force?.rollback !== true) return { does: "yield", row };
  // A veto is about one digest; a hold and a freeze are about all of them.
  const stop = standing?.stops.find(({ digest }) => digest === null || digest === wanted.digest);
  if (stop !== undefined && note.force?.breakGlass !== true)
    return { does: "refuse", failure: stopped(stop, wanted) };
  const { expectPrevious } = intent;
  const now = row?.digest ?? "none";
  if (expectPrevious !== undefined && expectPrevious !== now) {
    return { does: "refuse", failure: previousDiffers(wanted, expectPrevious, row) };
  }
  return { does: "write", condition: standing?.condition ?? null };
}

function stopped({ kind, reason, by }: Stop, wanted: WantedPin): Failure {
  const who = by === "" ? "" : ` by ${by}`;
  const why = reason === "" ? "" : `: ${reason}`;
  return new Failure(
    "policy_denied",
    `${wanted.template} in ${wanted.region} may not be changed: ${kind}${who}${why}`,
    { hint: "whoever set it has to lift it; nothing was written" },
  );
}

function previousDiffers(wanted: WantedPin, expected: ImageDigest | "none", row: PinRow | null): Failure {
  const found = row === null ? "has no pin" : `is pinned to ${row.digest}`;
  return new Failure(
    "previous_differs",
    `${wanted.template} in ${wanted.region} ${found}; the promotion to ${wanted.digest} expected ${expected}`,
    { hint: "somebody else changed the pin; look who did, and promote again if yours should win" },
  );
}

/** The listing and the pin's own route are two reads: null when both show one state, else why to read again. */
export function movedBetween(row: PinRow | null, standing: Standing, wanted: WantedPin): Failure | null {
  const [first, then] = [row?.digest ?? "none", standing.digest ?? "none"];
  if (first === then) return null;
  return new Failure(
    "previous_differs",
    `${wanted.template} in ${wanted.region} changed while it was read: first ${first}, then ${then}`,
    { hint: "somebody else promotes at this moment; look who does" },
  );
}
