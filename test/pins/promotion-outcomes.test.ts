import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { PromotionRules } from "../../src/pins/promotion-rules.ts";
import type { Plan, Step } from "../support/scripted-server.ts";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "./rows.ts";
import { list, LOST, OK, promoteOn, RULES, summary } from "./run-legs.ts";

const stable3 = { readBack: { ...RULES.readBack, stable: 3 } };
const board = (digest: string | null, promote: (board: Board) => Step | readonly Step[]): Plan => {
  const state = new Board(digest);
  return { [LIST]: state.list, [PROMOTE]: promote(state) };
};

describe("what becomes of a promotion", () => {
  const rows: [string, Plan, Partial<PromotionRules>, string][] = [
    ["over another digest", board(OLD, (it) => it.promote), {}, "landed 0: GET POST GET"],
    ["without a row before", board(null, (it) => it.promote), {}, "landed 0: GET POST GET"],
    ["with the digest there", board(NEW, (it) => it.promote), {}, "already 0: GET"],
    ["accepted with 201", board(OLD, (it) => it.applied({ status: 201 })), {}, "landed 0: GET POST GET"],
    ["accepted with 204", board(OLD, (it) => it.applied({ status: 204 })), {}, "landed 0: GET POST GET"],
    [
      "with the digest there, three times",
      board(NEW, (it) => it.promote),
      stable3,
      "already 0: GET GET GET GET",
    ],

    // The answer was lost: a read comes before anything else.
    [
      "applied, then reset",
      board(OLD, (it) => it.applied(LOST)),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "applied, then closed",
      board(OLD, (it) => it.applied({ send: "nothing" })),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "applied, then cut off",
      board(OLD, (it) => it.applied({ ...OK, bodyBytes: 9 })),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "applied, then 500",
      board(OLD, (it) => it.applied({ status: 500 })),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "applied, then an endless answer",
      board(OLD, (it) => it.applied({ send: "endless" })),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "applied, then 101",
      board(OLD, (it) => it.applied({ status: 101 })),
      {},
      "landed_after_lost_response 0: GET POST GET",
    ],
    [
      "not applied, then reset, then taken",
      board(OLD, (it) => [LOST, it.promote]),
      {},
      "landed 0: GET POST GET GET POST GET",
    ],
    [
      "reset, then refused, then found",
      { [LIST]: list(OLD, OLD, OLD, NEW), [PROMOTE]: [LOST, { status: 400 }] },
      {},
      "landed_after_lost_response 0: GET POST GET GET POST GET",
    ],
    [
      "applied late, after the look",
      { [LIST]: list(OLD, OLD, NEW), [PROMOTE]: [LOST, { status: 400 }] },
      {},
      "landed_after_lost_response 0: GET POST GET GET GET",
    ],
    [
      "reset, and somebody else's is there after the look",
      { [LIST]: list(OLD, OLD, FOREIGN), [PROMOTE]: [LOST, { status: 400 }] },
      {},
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET GET",
    ],
    [
      "applied, then reset, and read three times",
      board(OLD, (it) => it.applied(LOST)),
      stable3,
      "landed_after_lost_response 0: GET POST GET GET GET GET",
    ],
    [
      "applied, then reset, and not stable",
      { [LIST]: list(OLD, NEW, OLD), [PROMOTE]: LOST },
      stable3,
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET",
    ],
    [
      "applied, then reset, and nothing can be read",
      { [LIST]: [...list(OLD), LOST], [PROMOTE]: LOST },
      { timeoutMs: 1_000 },
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET",
    ],
    [
      "never applied and always 500",
      { [LIST]: list(OLD), [PROMOTE]: { status: 500 } },
      { timeoutMs: 10_000 },
      "outcome_unknown 14 outcome_unknown: GET POST GET GET POST GET GET POST GET GET GET GET GET",
    ],

    [
      "reset, and somebody else's is there",
      { [LIST]: list(OLD, FOREIGN), [PROMOTE]: LOST },
      {},
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET",
    ],
    [
      "reset, and what was there is gone",
      { [LIST]: list(OLD, null), [PROMOTE]: LOST },
      {},
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET",
    ],
    [
      "reset where no row was, and somebody else's is there",
      { [LIST]: list(null, FOREIGN), [PROMOTE]: LOST },
      {},
      "outcome_unknown 14 outcome_unknown: GET POST GET GET GET GET GET",
    ],
    [
      "reset, and read again until the old one shows that it is to be sent again",
      { [LIST]: [...list(OLD), LOST, LOST, ...list(OLD, OLD, NEW)], [PROMOTE]: [LOST, OK] },
      {},
      "landed 0: GET POST GET GET GET GET POST GET",
    ],

    // Nothing was written, and nothing is read after it.
    [
      "rejected",
      { [LIST]: list(OLD), [PROMOTE]: { status: 400 } },
      {},
      "failed 9 request_rejected: GET POST",
    ],
    [
      "unauthorized",
      { [LIST]: list(OLD), [PROMOTE]: { status: 401 } },
      {},
      "failed 4 unauthorized: GET POST",
    ],
    [
      "redirected",
      { [LIST]: list(OLD), [PROMOTE]: { status: 302 } },
      {},
      "failed 10 redirect_refused: GET POST",
    ],
    ["without a route", { [LIST]: list(OLD) }, {}, "failed 10 server_unsupported: GET POST"],
    [
      "without a database",
      { [LIST]: list(OLD), [PROMOTE]: { status: 503, body: '{"error":"no database wired"}' } },
      {},
      "failed 13 server_failed: GET POST",
    ],
    [
      "a wrong echo",
      board(OLD, (it) => it.applied({ body: JSON.stringify(row(FOREIGN)) })),
      {},
      "failed 8 response_mismatch: GET POST",
    ],
    [
      "an echo that is an object",
      board(OLD, (it) => it.applied({ body: '{"region":{}}' })),
      {},
      "failed 8 response_mismatch: GET POST",
    ],

    // Before the write.
    [
      "a listing that is refused",
      { [LIST]: { status: 401 }, [PROMOTE]: OK },
      {},
      "failed 4 unauthorized: GET",
    ],
    [
      "a listing of two rows",
      { [LIST]: listing(row(OLD), row(NEW)), [PROMOTE]: OK },
      {},
      "failed 10 answer_ambiguous: GET",
    ],
    [
      "a row that contradicts itself",
      { [LIST]: listing(row(NEW, { image_ref: `a@${OLD}` })), [PROMOTE]: OK },
      {},
      "mismatch 8 row_inconsistent: GET",
    ],
    [
      "a listing that never comes",
      { [LIST]: LOST, [PROMOTE]: OK },
      { timeoutMs: 10_000 },
      "failed 12 connection_lost: GET GET GET",
    ],
    [
      "a listing that comes late",
      { [LIST]: [LOST, { body: "" }, ...list(OLD, NEW)], [PROMOTE]: OK },
      {},
      "landed 0: GET GET GET POST GET",
    ],

    // After a write that was accepted.
    [
      "a replica that lags",
      { [LIST]: list(OLD, OLD, OLD, NEW), [PROMOTE]: OK },
      {},
      "landed 0: GET POST GET GET GET",
    ],
    [
      "a row that comes late",
      { [LIST]: list(null, null, NEW), [PROMOTE]: OK },
      {},
      "landed 0: GET POST GET GET",
    ],
    ["a lie", { [LIST]: list(OLD), [PROMOTE]: OK }, {}, "mismatch 8 pin_mismatch: GET POST GET GET GET GET"],
    [
      "a lie without a row",
      { [LIST]: list(null), [PROMOTE]: OK },
      {},
      "missing 7 row_missing: GET POST GET GET GET GET",
    ],
    [
      "somebody else",
      { [LIST]: list(OLD, FOREIGN), [PROMOTE]: OK },
      {},
      "moved_after_write 8 moved_after_write: GET POST GET GET GET GET",
    ],
    [
      "somebody else, where no row was",
      { [LIST]: list(null, FOREIGN), [PROMOTE]: OK },
      {},
      "moved_after_write 8 moved_after_write: GET POST GET GET GET GET",
    ],
    [
      "a row that vanishes",
      { [LIST]: list(OLD, null), [PROMOTE]: OK },
      {},
      "missing 7 row_missing: GET POST GET GET GET GET",
    ],
    [
      "a listing that dies",
      { [LIST]: [...list(OLD), LOST], [PROMOTE]: OK },
      {},
      "written_unverified 14 written_unverified: GET POST GET GET GET GET",
    ],
    // The old row was seen after the write, and then nothing: that it did not land is not proven either.
    [
      "a listing that dies later",
      { [LIST]: [...list(OLD, OLD), LOST], [PROMOTE]: OK },
      {},
      "written_unverified 14 written_unverified: GET POST GET GET GET GET",
    ],
    [
      "a listing that is refused",
      { [LIST]: [...list(OLD), { status: 401 }], [PROMOTE]: OK },
      {},
      "written_unverified 14 written_unverified: GET POST GET",
    ],
    [
      "a second row",
      { [LIST]: [...list(OLD), listing(row(OLD), row(NEW))], [PROMOTE]: OK },
      {},
      "written_unverified 14 written_unverified: GET POST GET",
    ],
    [
      "a row that contradicts itself",
      { [LIST]: [...list(OLD), listing(row(NEW, { image_ref: `a@${OLD}` }))], [PROMOTE]: OK },
      {},
      "mismatch 8 row_inconsistent: GET POST GET",
    ],
    [
      "flapping that ends",
      { [LIST]: list(OLD, NEW, OLD, NEW, NEW, NEW), [PROMOTE]: OK },
      stable3,
      "landed 0: GET POST GET GET GET GET GET",
    ],
    [
      "equal reads with a failed one between them",
      { [LIST]: [...list(OLD, NEW, NEW), { status: 500 }, ...list(NEW, NEW, NEW)], [PROMOTE]: OK },
      stable3,
      "landed 0: GET POST GET GET GET GET GET GET",
    ],
    [
      "flapping",
      { [LIST]: list(OLD, NEW, OLD, NEW, OLD, NEW, OLD), [PROMOTE]: OK },
      stable3,
      "mismatch 8 pin_mismatch: GET POST GET GET GET GET",
    ],

    // Bodies that only look like the listing.
    [
      "a listing in gzip",
      {
        [LIST]: [
          ...list(OLD),
          {
            ...listing(row(NEW)),
            body: gzipSync(JSON.stringify({ pins: [row(NEW)] })),
            headers: { "content-encoding": "gzip" },
          },
        ],
        [PROMOTE]: OK,
      },
      {},
      "written_unverified 14 written_unverified: GET POST GET",
    ],
    [
      "a listing without end",
      { [LIST]: { send: "endless" }, [PROMOTE]: OK },
      {},
      "failed 10 answer_too_large: GET",
    ],
    [
      "a listing cut off by closing",
      { [LIST]: { ...listing(row(NEW)), framing: "close", bodyBytes: 40 }, [PROMOTE]: OK },
      { timeoutMs: 1 },
      "failed 10 answer_not_json: GET",
    ],
    [
      "a listing byte by byte",
      { [LIST]: { ...listing(row(NEW)), send: "drip" }, [PROMOTE]: OK },
      {},
      "already 0: GET",
    ],
    [
      "a listing in chunks",
      { [LIST]: { ...listing(row(NEW)), framing: "chunked" }, [PROMOTE]: OK },
      {},
      "already 0: GET",
    ],
    [
      "a listing of another type",
      { [LIST]: { ...listing(row(NEW)), headers: { "content-type": "text/html" } }, [PROMOTE]: OK },
      {},
      "already 0: GET",
    ],
  ];
  test.each(rows)("%s", async (_what, plan, rules, wanted) => {
    expect(summary(await promoteOn(plan, rules))).toBe(wanted);
  });
});
