import { Failure } from "../base/failure.ts";
import { failedLeg, outcomeOfRead, type Leg, type LegFacts } from "./leg.ts";
import { satisfies, type PinRow } from "./pin.ts";
import type { ReadBack } from "./read-back.ts";

/** What a look comes to after a write whose outcome is open: our digest is there, it may be sent again, or neither. */
export type Look = Extract<ReadBack, { ok: true }> | "again" | "undecided";

/**
 * A write that names what it replaces harms nobody when it is sent again. Any other one may be only over the row that
 * was read before it: another digest, or the same one put there since, is somebody else's.
 */
export function judgeLook(look: ReadBack, before: PinRow | null, isConditional: boolean): Look {
  // With --touch the digest was there before: only the row of another time is the work of the write.
  if (look.ok && changedSince(look, before) !== null) return look;
  if (isConditional) return "again";
  return changedSince(look, before) === null ? "again" : "undecided";
}

/** Why a write without a condition is not sent over what was read now; null over the row from before it. */
export function changedSince(look: ReadBack, before: PinRow | null): Failure | null {
  if (!look.ok && look.failure.code !== "pin_mismatch" && look.failure.code !== "row_missing")
    return look.failure;
  const now = look.ok ? look.proof.row : look.last;
  if (now?.digest === before?.digest && now?.promotedAt === before?.promotedAt) return null;
  return new Failure("previous_differs", "somebody else changed the pin while this run waited");
}

/** What a sent write comes to that no read proved. `isOpen` when not even its acceptance is known. */
export function unproven(facts: LegFacts, read: Extract<ReadBack, { ok: false }>, isOpen: boolean): Leg {
  const { failure } = read;
  const outcome = outcomeOfRead(failure);
  // Only what was read last can tell that it did not land, and only of a write that had arrived by then.
  if (isOpen || outcome === "failed") {
    const code = isOpen ? "outcome_unknown" : "written_unverified";
    const what = isOpen ? "the promotion was sent" : "the promotion was accepted";
    const isAuth = failure.code === "unauthorized" || failure.code === "forbidden";
    const hint = isAuth ? failure.hint : "run `waybill verify pin` before you promote again";
    const unknown = new Failure(code, `${what}, and nothing proves that it landed: ${failure.message}`, {
      hint,
      serverText: failure.serverText,
    });
    return failedLeg(facts, code, unknown);
  }
  // Neither the old digest nor ours: somebody else wrote after us. Fighting over it would help nobody.
  const seen = failure.code === "pin_mismatch" ? read.last : null;
  if (seen !== null && seen.digest !== facts.before?.digest && !satisfies(seen.digest, facts.wanted)) {
    const moved = new Failure(
      "moved_after_write",
      `${failure.message}; somebody promoted after this run did`,
      { hint: "find out who promoted; run again only when yours should win" },
    );
    return failedLeg(facts, "moved_after_write", moved);
  }
  return failedLeg(facts, outcome, failure);
}

/** What an accepted write comes to that nobody wanted read back. */
export function unread(facts: LegFacts): Leg {
  const message = "the promotion was accepted, and nothing was read back";
  const hint = "run `waybill verify pin` to prove it";
  return failedLeg(facts, "written_unverified", new Failure("written_unverified", message, { hint }));
}
