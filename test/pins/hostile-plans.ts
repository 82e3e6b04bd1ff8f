import fc from "fast-check";
import type { Answer, Plan, Step } from "../support/scripted-server.ts";
import { answer, flapping, GOOD, PROOF } from "./hostile-answers.ts";
import { FOREIGN, LIST, listing, NEW, OLD, PROMOTE } from "./rows.ts";
import { PUT, SHOW, VersionedBoard } from "./versioned-board.ts";

/** Versions as they should be, and what a careless reader would take for one. */
const etag = fc.constantFrom('"1"', '"1"', '"2"', 'W/"1"', "1", '""', "");

function tagged(made: Answer, tag: string): Answer {
  return tag === "" ? made : { ...made, headers: { ...made.headers, etag: tag } };
}

const shownPin = fc
  .tuple(
    fc.record({
      image_digest: fc.constantFrom(OLD, OLD, NEW, "latest", null),
      seq: fc.constantFrom(undefined, 3, 9, "9"),
      stops: fc.constantFrom(
        undefined,
        [],
        [],
        [{ kind: "held" }],
        [{ kind: "vetoed", image_digest: OLD }],
        "x",
      ),
    }),
    etag,
  )
  .map(([members, tag]) => tagged({ body: JSON.stringify({ template_name: "codex", ...members }) }, tag));
const version: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 6, arbitrary: shownPin },
  { weight: 2, arbitrary: fc.constant({ status: 404, body: '{"code":"pin_not_found","error":"x"}' }) },
  { weight: 3, arbitrary: answer },
);

/** What a server says of a write when it knows versions. */
const conditional: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 3, arbitrary: answer },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { status: 412, body: '{"code":"stale_version"}' },
      { status: 428 },
      { status: 409, body: '{"code":"older_build"}' },
      { status: 409, body: '{"code":"held"}' },
    ),
  },
);

/** At most so many requests of a run are disturbed; there are seldom more. */
const LAST = 8;
const fault = fc.record({
  at: fc.nat(LAST),
  /** Whether the request was done before its answer went wrong. */
  done: fc.boolean(),
  answer: fc.constantFrom<Answer[]>(
    { send: "nothing", then: "reset" },
    { status: 500 },
    { status: 503, headers: { "retry-after": "1" } },
    { status: 409, body: '{"error":"retry after the rollout completes"}' },
    { status: 412, body: '{"code":"stale_version"}' },
    { status: 428 },
  ),
});

/**
 * A control plane that keeps its word, about versions or without
 * any, while others write in between and answers are lost.
 */
const contested: fc.Arbitrary<Plan> = fc
  .record({
    isVersioned: fc.boolean(),
    digest: fc.constantFrom(OLD, OLD, FOREIGN, NEW, null),
    seq: fc.constantFrom(null, null, 3, 9),
    moves: fc.array(
      fc.record({
        at: fc.nat(LAST),
        digest: fc.constantFrom(OLD, NEW, FOREIGN),
        seq: fc.constantFrom(null, 3, 9),
      }),
      { maxLength: 3 },
    ),
    faults: fc.array(fault, { maxLength: 3 }),
  })
  .map(({ isVersioned, digest, seq, moves, faults }) => {
    const board = new VersionedBoard(digest, seq);
    let count = 0;
    const disturbed =
      (step: Step): Step =>
      (request) => {
        const at = count++;
        for (const move of moves) if (move.at === at) board.move(move.digest, move.seq);
        const fault = faults.find((one) => one.at === at);
        if (fault?.done === false) return fault.answer;
        const answer = typeof step === "function" ? step(request) : step;
        return fault?.answer ?? answer;
      };
    if (isVersioned)
      return { [LIST]: disturbed(board.list), [SHOW]: disturbed(board.show), [PUT]: disturbed(board.put) };
    const list = (): Answer => (board.digest === null ? listing() : listing(board.row()));
    return { [LIST]: disturbed(list), [PROMOTE]: disturbed(board.post) };
  });

/** A control plane that answers anything at all, with versions or without. */
const anything: fc.Arbitrary<Plan> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.array(fc.tuple(answer, etag), { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: flapping.map((steps) => steps.map((step): [Answer, string] => [step, '"1"'])) },
    ),
    fc.array(conditional, { minLength: 1, maxLength: 3 }),
    fc.array(version, { minLength: 1, maxLength: 3 }),
    fc.array(conditional, { minLength: 1, maxLength: 3 }),
  )
  .map(([list, promote, shown, put]) => ({
    [LIST]: list.map(([made, tag]) => tagged(made, tag)),
    [PROMOTE]: promote,
    [`GET ${PROOF}`]: { body: GOOD },
    ...Object.fromEntries(
      ["global", "eu"].flatMap((region) => [
        [`GET /v1/pins/codex/${region}`, shown],
        [`PUT /v1/pins/codex/${region}`, put],
      ]),
    ),
  }));

export const hostilePlan: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 3, arbitrary: anything },
  { weight: 1, arbitrary: contested },
);
