import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { Answer } from "../support/scripted-server.ts";
import { NEW, OLD } from "./rows.ts";

/** Where a redirect leads: whoever follows one finds what was wanted, and is wrong. */
export const PROOF = "/proof";
export const GOOD: string = JSON.stringify({
  pins: [{ template_name: "codex", region: "global", image_digest: NEW }],
});

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
  fc
    .tuple(right, fc.array(other, { maxLength: 1 }), right)
    .map(([one, others, two]) => [one, ...others, two]),
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
  { weight: 1, arbitrary: fc.constantFrom(201, 202, 203, 204, 206, 226) },
  { weight: 1, arbitrary: fc.constantFrom(302, 401, 409, 429, 500, 503) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 599 }) },
);

/** Answers that came before the real one. */
const interim = fc.constantFrom<(readonly number[])[]>([], [], [], [103], [100, 102, 103]);
/** What follows on the same connection, which nobody asked for. */
const after = fc.constantFrom("", "", "", "\r\n", "}", GOOD, `HTTP/1.1 200 OK\r\n\r\n${GOOD}`);
/** Headers that speak against the body, or send elsewhere: the path there has a proof. */
const odd = fc.constantFrom<Readonly<Record<string, string>>[]>(
  ...[{}, {}, {}, {}, {}],
  { "content-encoding": "gzip" },
  { "content-encoding": "identity" },
  { "transfer-encoding": "gzip, chunked" },
  { "transfer-encoding": "identity" },
  { "content-length": "5" },
  { "content-length": "0" },
  { age: "60" },
  { age: "0" },
  { location: PROOF },
  { refresh: `0; url=${PROOF}` },
  { "content-type": "text/html" },
  { "content-range": "bytes 0-9/1000" },
);

const whole = fc.record({
  status,
  body,
  framing: fc.constantFrom("length", "length", "chunked", "close"),
  interim,
  after,
  headers: odd,
});
const broken = fc.record({
  status,
  body,
  framing: fc.constantFrom("length", "chunked", "close"),
  send: fc.constantFrom("whole", "whole", "drip", "nothing"),
  bodyBytes: fc.integer({ min: 0, max: 300 }),
  then: fc.constantFrom("close", "reset"),
});
/** A length that is not the body's, a last chunk that never comes: with a body that would do. */
const misframed = fc.oneof(
  fc
    .tuple(body, fc.integer({ min: -20, max: 20 }), after, fc.constantFrom("close", "reset"))
    .map(([made, more, then, end]): Answer => ({
      body: made,
      length: Math.max(0, made.length + more),
      after: then,
      then: end,
    })),
  fc.record({ body, framing: fc.constant("chunked"), lastChunk: fc.boolean(), after }),
);
const compressed = fc.tuple(listing, fc.boolean()).map(([text, said]): Answer => ({
  body: gzipSync(text),
  ...(said ? { headers: { "content-encoding": "gzip" } } : {}),
}));
const redirected = fc
  .tuple(fc.constantFrom(300, 301, 302, 303, 304, 305, 307, 308), body)
  .map(([found, made]): Answer => ({ status: found, body: made, headers: { location: PROOF } }));

// Costs the time of an attempt, so there are few of them.
const stalled = fc.record({
  body,
  send: fc.constantFrom("whole", "nothing"),
  bodyBytes: fc.integer({ min: 0, max: 300 }),
  then: fc.constant("stall"),
});
const endless = fc.record({ send: fc.constant("endless") });

/** Anything that a server may say: right, nearly right, wrong, cut, framed otherwise than it says, or without end. */
export const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 60, arbitrary: whole },
  { weight: 20, arbitrary: broken },
  { weight: 12, arbitrary: misframed },
  { weight: 3, arbitrary: compressed },
  { weight: 4, arbitrary: redirected },
  { weight: 2, arbitrary: endless },
  { weight: 1, arbitrary: stalled },
);

/** Well-formed listings that take turns: a replica that lags, or a pin that flaps. */
export const flapping: fc.Arbitrary<Answer[]> = fc.array(
  fc.constantFrom(NEW, OLD).map((image_digest): Answer => ({
    body: JSON.stringify({ pins: [{ template_name: "codex", region: "global", image_digest }] }),
  })),
  { minLength: 2, maxLength: 6 },
);
