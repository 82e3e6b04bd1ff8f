import { describe, expect, test } from "bun:test";
import { EXIT } from "../../src/base/exit-codes.ts";
import { pointsOf } from "../support/points.ts";
import { allOf } from "../support/scripted-answer.ts";
import type { Answer, Received, Step } from "../support/scripted-server.ts";
import { PROMOTE_WORDS, runCase } from "./case-run.ts";
import { Board, LIST, NEW, OLD, PROMOTE } from "./rows.ts";

/**
 * An answer of a promotion ends at each of its bytes: the listing before, the answer to the write, whose write was
 * done or not, and the listing after. Success is told when a whole listing proved it, and a write that may have been
 * done is never told as one that was not.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const POINTS = pointsOf("an answer that ends at each of its bytes, by a close or a reset");

type Cut = {
  readonly route: typeof LIST | typeof PROMOTE;
  /** Which answer of the route; null for all of them. */
  readonly which: number | null;
  readonly done: boolean;
  readonly then: "close" | "reset";
};

/** What it was, how often the full run takes a byte, and how often the short one. */
const CUTS: readonly (readonly [string, Cut, number, number])[] = [
  ["the listing before, once", { route: LIST, which: 0, done: true, then: "close" }, 1, 100],
  ["the listing after, once", { route: LIST, which: 1, done: true, then: "close" }, 1, 100],
  ["every listing", { route: LIST, which: null, done: true, then: "close" }, 10, 200],
  ["every listing after", { route: LIST, which: -1, done: true, then: "reset" }, 10, 200],
  ["the answer to a write that was done", { route: PROMOTE, which: 0, done: true, then: "close" }, 1, 100],
  [
    "the answer to a write that was not done",
    { route: PROMOTE, which: 0, done: false, then: "close" },
    1,
    100,
  ],
  [
    "each answer to writes, none of them done",
    { route: PROMOTE, which: null, done: false, then: "reset" },
    5,
    200,
  ],
  [
    "each answer to writes, all of them done",
    { route: PROMOTE, which: null, done: true, then: "reset" },
    5,
    200,
  ],
];

const REQUEST: Received = { method: "", path: "", headers: {}, body: `{"image_digest":"${NEW}"}` };

function answerOf(step: Step, request: Received): Answer {
  return typeof step === "function" ? step(request) : step;
}

async function cutAt(cut: Cut, at: number): Promise<void> {
  const board = new Board(OLD);
  const seen = { reads: 0, proofs: 0, writes: 0, definite: 0 };
  const given = (step: Step, count: number, isCut: boolean, request: Received): Answer => {
    const answer = answerOf(step, request);
    const isHit = isCut && (cut.which === null || cut.which === count || (cut.which === -1 && count > 0));
    return isHit ? { ...answer, cutAt: at, ...(cut.then === "reset" ? { then: "reset" } : {}) } : answer;
  };
  const run = await runCase(PROMOTE_WORDS, {
    [LIST]: (request) => {
      const answer = given(board.list, seen.reads++, cut.route === LIST, request);
      if (answer.cutAt === undefined && board.digest === NEW) seen.proofs++;
      return answer;
    },
    [PROMOTE]: (request) => {
      const isHit = cut.route === PROMOTE && (cut.which === null || cut.which === seen.writes);
      const before = board.digest;
      const answer = given(board.promote, seen.writes++, cut.route === PROMOTE, request);
      if (isHit && !cut.done) board.digest = before;
      if (answer.cutAt === undefined) seen.definite++;
      return answer;
    },
  });
  const told = { at, told: run.told, board: board.digest, seen };
  if (run.code === EXIT.ok) {
    expect({ ...told, isProven: board.digest === NEW && seen.proofs > 0 }).toEqual({
      ...told,
      isProven: true,
    });
    return;
  }
  const open = [EXIT.unknown, EXIT.mismatch];
  const allowed = seen.writes > 0 ? open : [EXIT.protocol, EXIT.transport];
  expect({ ...told, isHonest: (allowed as number[]).includes(run.code) }).toEqual({
    ...told,
    isHonest: true,
  });
  // A mismatch is what a whole listing showed.
  if (run.code === EXIT.mismatch) expect({ ...told, found: board.digest }).toEqual({ ...told, found: OLD });
}

describe("a promotion whose answers end too early", () => {
  test.each([...CUTS])(
    "%s",
    async (_name, cut, wide, narrow) => {
      const board = new Board(OLD);
      const length = allOf(answerOf(cut.route === LIST ? board.list : board.promote, REQUEST)).length;
      for (let at = 0; at < length; at += FULL ? wide : narrow) await POINTS.try(() => cutAt(cut, at));
    },
    FULL ? 1_800_000 : 60_000,
  );
});
