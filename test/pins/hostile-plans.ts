import fc from "fast-check";
import type { Answer, Plan } from "../support/scripted-server.ts";
import { LIST, NEW, OLD, PROMOTE } from "./rows.ts";

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
  image_digest: fc.constant(NEW),
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

/** A control plane that answers anything at all. */
export const hostilePlan: fc.Arbitrary<Plan> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.array(answer, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: flapping },
    ),
    fc.array(answer, { minLength: 1, maxLength: 3 }),
  )
  .map(([list, promote]) => ({ [LIST]: list, [PROMOTE]: promote }));
