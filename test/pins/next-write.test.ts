import { describe, expect, test } from "bun:test";
import { movedBetween, nextWrite, type Intent } from "../../src/pins/next-write.ts";
import type { Force, PinRow } from "../../src/pins/pin.ts";
import type { Standing, Stop } from "../../src/pins/standing.ts";
import { pinRow } from "./pin-row.ts";
import { FOREIGN, NEW, OLD } from "./rows.ts";
import { WANTED } from "./run-legs.ts";

const CONDITION = { ifMatch: '"7"' };
const ROW = pinRow({ digest: OLD, seq: 7 });

function standing(...stops: readonly Partial<Stop>[]): Standing {
  const stop = { kind: "hold", reason: "", by: "", digest: null };
  return { condition: CONDITION, digest: OLD, stops: stops.map((one) => ({ ...stop, ...one })) };
}

type Given = {
  row?: PinRow | null;
  standing?: Standing | null;
  seq?: number;
  force?: Partial<Force>;
  intent?: Intent;
};

/** What is done, in one line. */
function next(given: Given): string {
  const note = {
    gitSha: undefined,
    notes: undefined,
    seq: given.seq,
    force: given.force && { reason: "why", rollback: false, breakGlass: false, ...given.force },
  };
  const { row = ROW, standing: shown = standing(), intent = {} } = given;
  const done = nextWrite(row, shown, WANTED, note, intent);
  if (done.does === "write") return `write ${JSON.stringify(done.condition)}`;
  if (done.does === "yield") return `yield to ${done.row.seq}`;
  return `${done.failure.code}: ${done.failure.message}`;
}

const WRITE = `write ${JSON.stringify(CONDITION)}`;
const MAY_NOT = "policy_denied: codex in global may not be changed:";

describe("what a promotion does next", () => {
  const rows: [string, Given, string][] = [
    ["writes what was read before", {}, WRITE],
    ["writes without a condition on a server that knows none", { standing: null }, "write null"],
    ["writes a newer build", { seq: 8 }, WRITE],
    ["writes the same build", { seq: 7 }, WRITE],
    ["gives way to a newer build", { seq: 6 }, "yield to 7"],
    ["writes any build over a row without a number", { seq: 6, row: pinRow({ digest: OLD }) }, WRITE],
    ["writes any build where no row is", { seq: 0, row: null }, WRITE],
    ["writes an older build on purpose", { seq: 6, force: { rollback: true } }, WRITE],
    ["gives way although something else is forced", { seq: 6, force: { breakGlass: true } }, "yield to 7"],
    ["is stopped", { standing: standing({ kind: "freeze" }) }, `${MAY_NOT} freeze`],
    [
      "is stopped by somebody, for a reason",
      { standing: standing({ by: "alice", reason: "incident 7" }) },
      `${MAY_NOT} hold by alice: incident 7`,
    ],
    [
      "is stopped by a veto of its digest, and not of another one",
      { standing: standing({ kind: "first", digest: OLD }, { kind: "second", digest: NEW }) },
      `${MAY_NOT} second`,
    ],
    [
      "is stopped by the first of several",
      { standing: standing({ kind: "a" }, { kind: "b" }) },
      `${MAY_NOT} a`,
    ],
    ["is not stopped by a veto of another digest", { standing: standing({ digest: OLD }) }, WRITE],
    ["breaks the glass", { standing: standing({}), force: { breakGlass: true } }, WRITE],
    [
      "is stopped although something else is forced",
      { standing: standing({}), force: { rollback: true } },
      `${MAY_NOT} hold`,
    ],
    ["writes over what was expected", { intent: { expectPrevious: OLD } }, WRITE],
    ["writes where nothing was expected to be", { row: null, intent: { expectPrevious: "none" } }, WRITE],
    [
      "refuses over another digest than was expected",
      { intent: { expectPrevious: FOREIGN } },
      `previous_differs: codex in global is pinned to ${OLD}; the promotion to ${NEW} expected ${FOREIGN}`,
    ],
    [
      "refuses where nothing was expected and a digest is",
      { intent: { expectPrevious: "none" } },
      `previous_differs: codex in global is pinned to ${OLD}; the promotion to ${NEW} expected none`,
    ],
    [
      "refuses where a digest was expected and nothing is",
      { row: null, intent: { expectPrevious: OLD } },
      `previous_differs: codex in global has no pin; the promotion to ${NEW} expected ${OLD}`,
    ],
  ];
  test.each(rows)("%s", (_what, given, wanted) => {
    expect(next(given)).toBe(wanted);
  });
});

describe("a listing and the pin's own route", () => {
  const rows: [string, PinRow | null, Standing["digest"], string | null][] = [
    ["that show one digest are one state", ROW, OLD, null],
    ["that show no pin are one state", null, null, null],
    ["that show two digests are two", ROW, NEW, `first ${OLD}, then ${NEW}`],
    ["of which the second shows none are two", ROW, null, `first ${OLD}, then none`],
    ["of which the first shows none are two", null, NEW, `first none, then ${NEW}`],
  ];
  test.each(rows)("%s", (_what, row, digest, wanted) => {
    const moved = movedBetween(row, { ...standing(), digest }, WANTED);
    expect(moved?.code ?? null).toBe(wanted === null ? null : "previous_differs");
    expect(moved?.message ?? null).toBe(
      wanted === null ? null : `codex in global changed while it was read: ${wanted}`,
    );
  });
});
