import { describe, expect, test } from "bun:test";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import type { Leg } from "../../src/pins/leg.ts";
import type { PinRow } from "../../src/pins/pin.ts";
import { changedSince, judgeLook, unproven, unread, type Look } from "../../src/pins/unproven.ts";
import { pinRow } from "./pin-row.ts";
import { FOREIGN, NEW, OLD } from "./rows.ts";
import { target, WANTED } from "./run-legs.ts";

const before = pinRow({ digest: OLD });
const facts = { target: target("https://cp.example.com"), wanted: WANTED, before, attempts: [] };

type Read = { readonly code: FailureCode; readonly last?: PinRow | null; readonly isOpen?: boolean };

function legOf({ code, last = null, isOpen = false }: Read, given: Partial<typeof facts> = {}): Leg {
  const failure = new Failure(code, "why", { hint: "its own", serverText: "said" });
  const read = { ok: false, failure, last, waitMs: null, isVersioned: false } as const;
  return unproven({ ...facts, ...given }, read, isOpen);
}

describe("what is there after a write whose outcome is open", () => {
  const other = pinRow({ digest: FOREIGN });
  const rows: [string, FailureCode, PinRow | null, PinRow | null, Look][] = [
    ["the digest from before", "pin_mismatch", before, before, "again"],
    ["still no row", "row_missing", null, null, "again"],
    [
      "that digest, put there since",
      "pin_mismatch",
      pinRow({ digest: OLD, promotedAt: "now" }),
      before,
      "undecided",
    ],
    ["somebody else's digest", "pin_mismatch", other, before, "undecided"],
    ["somebody else's digest where no row was", "pin_mismatch", other, null, "undecided"],
    ["no row any more", "row_missing", null, before, "undecided"],
    ["nothing that can be read", "server_failed", null, null, "undecided"],
    ["a row that contradicts itself", "row_inconsistent", null, null, "undecided"],
  ];
  test.each(rows)("%s", (_what, code, last, was, wanted) => {
    const failure = new Failure(code, "why");
    const look = { ok: false, failure, last, waitMs: null, isVersioned: false } as const;
    expect(judgeLook(look, was, false)).toBe(wanted);
    // The condition tells the server whether it is still so.
    expect(judgeLook(look, was, true)).toBe("again");
  });

  test("our own digest", () => {
    const look = { ok: true, proof: { row: pinRow({ digest: NEW }), reads: 1 }, isVersioned: false } as const;
    for (const isConditional of [false, true]) expect(judgeLook(look, before, isConditional)).toBe(look);
  });
});

describe("what is there before a write is sent again", () => {
  const other = pinRow({ digest: FOREIGN });
  const anew = pinRow({ digest: OLD, promotedAt: "now" });
  const rows: [string, FailureCode, PinRow | null, PinRow | null, FailureCode | null][] = [
    ["the digest from before", "pin_mismatch", before, before, null],
    ["still no row", "row_missing", null, null, null],
    ["that digest, put there since", "pin_mismatch", anew, before, "previous_differs"],
    ["somebody else's digest", "pin_mismatch", other, before, "previous_differs"],
    ["somebody else's digest where no row was", "pin_mismatch", other, null, "previous_differs"],
    ["no row any more", "row_missing", null, before, "previous_differs"],
    ["nothing that can be read", "server_failed", null, null, "server_failed"],
    ["a row that contradicts itself", "row_inconsistent", null, null, "row_inconsistent"],
  ];
  test.each(rows)("%s", (_what, code, last, was, wanted) => {
    const look = {
      ok: false,
      failure: new Failure(code, "why"),
      last,
      waitMs: null,
      isVersioned: false,
    } as const;
    expect(changedSince(look, was)?.code ?? null).toBe(wanted);
  });

  test("our own digest, which nobody touched, or somebody did", () => {
    const ours = pinRow({ digest: NEW });
    const look = { ok: true, proof: { row: ours, reads: 1 }, isVersioned: false } as const;
    expect(changedSince(look, ours)).toBeNull();
    for (const was of [before, null, pinRow({ digest: NEW, promotedAt: "earlier" })])
      expect(changedSince(look, was)?.code).toBe("previous_differs");
  });
});

describe("a write that no read proved", () => {
  const moved = pinRow({ digest: FOREIGN });
  const rows: [string, Read, string][] = [
    [
      "and whose answer was lost",
      { code: "pin_mismatch", last: before, isOpen: true },
      "outcome_unknown outcome_unknown",
    ],
    [
      "although another digest was read",
      { code: "pin_mismatch", last: moved, isOpen: true },
      "outcome_unknown outcome_unknown",
    ],
    ["because nothing could be read", { code: "server_failed" }, "written_unverified written_unverified"],
    ["because it did not land", { code: "pin_mismatch", last: before }, "mismatch pin_mismatch"],
    ["because the row is gone", { code: "row_missing" }, "missing row_missing"],
    [
      "because somebody wrote after it",
      { code: "pin_mismatch", last: moved },
      "moved_after_write moved_after_write",
    ],
    [
      "because the row contradicts itself",
      { code: "row_inconsistent", last: moved },
      "mismatch row_inconsistent",
    ],
    [
      "with the wanted digest in a row that wavers",
      { code: "pin_mismatch", last: pinRow({ digest: NEW }) },
      "mismatch pin_mismatch",
    ],
    ["of which nothing was seen", { code: "pin_mismatch" }, "mismatch pin_mismatch"],
  ];
  test.each(rows)("%s", (_what, read, wanted) => {
    const { outcome, failure, after } = legOf(read);
    expect(`${outcome} ${failure?.code}`).toBe(wanted);
    expect(after).toBeNull();
  });

  test("over no row: whoever wrote another one wrote after it", () => {
    const { outcome } = unproven(
      { ...facts, before: null },
      {
        ok: false,
        failure: new Failure("pin_mismatch", "why"),
        last: moved,
        waitMs: null,
        isVersioned: false,
      },
      false,
    );
    expect(outcome).toBe("moved_after_write");
  });

  const words: [string, Read, string, string][] = [
    [
      "sent",
      { code: "server_failed", isOpen: true },
      "the promotion was sent",
      "run `waybill verify pin` before you promote again",
    ],
    [
      "accepted",
      { code: "server_failed" },
      "the promotion was accepted",
      "run `waybill verify pin` before you promote again",
    ],
    [
      "accepted, with a token that may not read",
      { code: "unauthorized" },
      "the promotion was accepted",
      "its own",
    ],
    [
      "sent, with a token that must not read",
      { code: "forbidden", isOpen: true },
      "the promotion was sent",
      "its own",
    ],
  ];
  test.each(words)("says that it was %s, and what to do", (_what, read, what, hint) => {
    const { failure } = legOf(read);
    expect(failure).toMatchObject({
      message: `${what}, and nothing proves that it landed: why`,
      hint,
      serverText: "said",
    });
  });

  test("that nobody wanted read is not verified", () => {
    expect(unread(facts)).toMatchObject({
      outcome: "written_unverified",
      failure: { code: "written_unverified" },
    });
  });
});
