import fc from "fast-check";
import type { Answer, Plan, Step } from "../support/scripted-server.ts";
import { FOREIGN, LIST, NEW, OLD, PROMOTE } from "./rows.ts";
import { PUT, SHOW, VersionedBoard } from "./versioned-board.ts";

// Values around the right ones: what a careless comparison would take for equal.
const DIGESTS = [
  NEW,
  NEW,
  NEW,
  OLD,
  `${NEW}\n`,
  ` ${NEW}`,
  NEW.toUpperCase(),
  NEW.slice(7),
  NEW.slice(0, 20),
  "",
  null,
  7,
  [NEW],
  {},
];
const TEMPLATES = ["codex", "codex", "codex", "hermes", "Codex", "codex\n", "", null, ["codex"], {}];
const REGIONS = ["global", "global", undefined, "eu", "Global", "", null, {}, ["global"]];

const row = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      template_name: fc.constantFrom(...TEMPLATES),
      region: fc.constantFrom(...REGIONS),
      image_digest: fc.constantFrom(...DIGESTS),
      promoted_by: fc.option(fc.string()),
    }),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const right = fc.record({
  template_name: fc.constant("codex"),
  region: fc.constantFrom("global", "global", undefined, "eu"),
  image_digest: fc.constantFrom(NEW, NEW, NEW, OLD),
  seq: fc.constantFrom(undefined, undefined, 3, 9, "9", -1, 9.5, null),
});
const other = fc.record({
  template_name: fc.constantFrom("hermes", "openclaw"),
  region: fc.constantFrom("global", "eu"),
  image_digest: fc.constantFrom(NEW, OLD),
});

const rows = fc.oneof(
  fc.array(row, { maxLength: 4 }),
  fc.tuple(fc.array(other, { maxLength: 3 }), right).map(([others, mine]) => [...others, mine]),
);
const listing = fc
  .tuple(rows, fc.constantFrom("pins", "pins", "pins", "bare", "items"))
  .map(([found, shape]) => JSON.stringify(shape === "bare" ? found : { [shape]: found }));

/** A listing with one thing done to its text. */
const spoilt = fc
  .tuple(
    listing,
    fc.constantFrom<((text: string) => string)[]>(
      (text) => `${text}${text}`,
      (text) => text.slice(0, -1),
      (text) => `\ufeff${text}`,
      (text) => `${text}\n\n`,
      (text) => `${text};`,
      (text) => text.replace('"image_digest"', `"image_digest":"${OLD}","image_digest"`),
      (text) => text.replace('"template_name"', '"template_name":"codex","template_name"'),
      (text) => text.replace('"region"', '"region":"eu","region"'),
      (text) => text.replace('{"pins"', '{"pins":[],"pins"'),
      (text) => text.replaceAll('"', "'"),
      (text) => text.replace("global", "glob\\u0061l"),
      (text) => `<html>${text}</html>`,
    ),
  )
  .map(([text, spoil]) => spoil(text));

const body = fc.oneof(
  { weight: 6, arbitrary: listing },
  { weight: 3, arbitrary: spoilt },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
);

const status = fc.oneof(
  { weight: 8, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(201, 204, 302, 401, 409, 429, 500, 503) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 599 }) },
);

const whole = fc.record({
  status,
  body,
  framing: fc.constantFrom("length", "length", "chunked", "close"),
});
const broken = fc.record({
  status,
  body,
  framing: fc.constantFrom("length", "chunked", "close"),
  send: fc.constantFrom("whole", "whole", "drip", "nothing"),
  bodyBytes: fc.integer({ min: 0, max: 300 }),
  then: fc.constantFrom("close", "reset"),
});
// Costs the time of an attempt, so there are few of them.
const stalled = fc.record({
  body,
  send: fc.constantFrom("whole", "nothing"),
  bodyBytes: fc.integer({ min: 0, max: 300 }),
  then: fc.constant("stall"),
});
const endless = fc.record({ send: fc.constant("endless") });

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 60, arbitrary: whole },
  { weight: 20, arbitrary: broken },
  { weight: 2, arbitrary: endless },
  { weight: 1, arbitrary: stalled },
);

/** Well-formed listings that take turns: a replica that lags, or a pin that flaps. */
const flapping = fc.array(
  fc.constantFrom(NEW, OLD).map((image_digest): Answer => ({
    body: JSON.stringify({ pins: [{ template_name: "codex", region: "global", image_digest }] }),
  })),
  { minLength: 2, maxLength: 6 },
);

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

/** A control plane that keeps its word about versions, while others write in between and answers are lost. */
const contested: fc.Arbitrary<Plan> = fc
  .record({
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
  .map(({ digest, seq, moves, faults }) => {
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
    return { [LIST]: disturbed(board.list), [SHOW]: disturbed(board.show), [PUT]: disturbed(board.put) };
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
