import { describe, expect, test } from "bun:test";
import type { PinNote } from "../../src/pins/pin.ts";
import type { PromotionRules } from "../../src/pins/promotion-rules.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "./rows.ts";
import { list, LOST, OK, promoteLegs, target } from "./run-legs.ts";
import { runConditional as run } from "./run-conditional.ts";
import { PIN, PUT, SHOW, VersionedBoard } from "./versioned-board.ts";

describe("on a server that knows versions", () => {
  test("the write names the row that was read", async () => {
    const board = new VersionedBoard(OLD);
    board.version = 17;
    const ran = await run(board.plan(), {}, { seq: 3, gitSha: "0123abc" });
    expect(ran).toMatchObject({ told: "landed 0: GET GET PUT GET", race: "closed" });
    expect(ran.put?.headers["if-match"]).toBe('"17"');
    expect(ran.put?.headers["if-none-match"]).toBeUndefined();
    expect(ran.put?.body).toEqual({ template_name: "codex", image_digest: NEW, git_sha: "0123abc", seq: 3 });
  });

  test("a first pin is written only where none is", async () => {
    const ran = await run(new VersionedBoard(null).plan());
    expect(ran).toMatchObject({ told: "landed 0: GET GET PUT GET", race: "closed" });
    expect(ran.put?.headers["if-none-match"]).toBe("*");
    expect(ran.put?.headers["if-match"]).toBeUndefined();
  });

  test("what is there already needs no version", async () => {
    expect(await run(new VersionedBoard(NEW).plan())).toMatchObject({ told: "already 0: GET", race: null });
  });

  const changes: [
    string,
    (board: VersionedBoard) => Plan,
    Partial<PromotionRules>,
    Partial<PinNote>,
    string,
  ][] = [
    [
      "412, and somebody else's digest is there",
      (board) => board.plan({ [PUT]: board.after(() => board.move(FOREIGN), board.put) }),
      {},
      {},
      "failed 11 previous_differs: GET GET PUT GET GET",
    ],
    [
      "412, and our digest is there",
      (board) => board.plan({ [PUT]: board.after(() => board.move(NEW), board.put) }),
      {},
      {},
      "already 0: GET GET PUT GET",
    ],
    [
      "412, and a newer build is there",
      (board) => board.plan({ [PUT]: board.after(() => board.move(FOREIGN, 9), board.put) }),
      {},
      { seq: 5 },
      "superseded 0: GET GET PUT GET GET",
    ],
    [
      "412, and nothing can be read any more",
      (board) => board.plan({ [LIST]: [board.list, LOST], [PUT]: { status: 412 } }),
      {},
      {},
      "failed 11 previous_differs: GET GET PUT GET",
    ],
    [
      "the answer is lost, and the write had been taken",
      (board) => board.plan({ [PUT]: board.applied(LOST) }),
      {},
      {},
      "landed_after_lost_response 0: GET GET PUT GET",
    ],
    [
      "the answer is lost, the replica lags, and the second attempt meets the first",
      (board) => {
        const lagging = new VersionedBoard(OLD);
        return board.plan({
          [LIST]: [board.list, lagging.list, board.list],
          [PUT]: [board.applied(LOST), board.put],
        });
      },
      {},
      {},
      "landed_after_lost_response 0: GET GET PUT GET PUT GET",
    ],
    [
      "the answer is lost, and then nothing can be read",
      (board) => board.plan({ [LIST]: [board.list, LOST], [PUT]: [LOST, { status: 412 }] }),
      {},
      {},
      "outcome_unknown 14 outcome_unknown: GET GET PUT GET PUT GET",
    ],
    [
      "the answer is lost, and somebody else's digest is there",
      (board) => board.plan({ [PUT]: [board.after(() => board.move(FOREIGN), LOST), board.put] }),
      {},
      {},
      "failed 11 previous_differs: GET GET PUT GET PUT GET GET",
    ],
    [
      "the answer is lost, and a newer build is there",
      (board) => board.plan({ [PUT]: [board.after(() => board.move(FOREIGN, 9), LOST), board.put] }),
      {},
      { seq: 5 },
      "superseded 0: GET GET PUT GET PUT GET GET",
    ],
    [
      "409 older_build, and the row shows it",
      (board) =>
        board.plan({
          [PUT]: board.after(() => board.move(FOREIGN, 9), {
            status: 409,
            body: '{"error":"older","code":"older_build"}',
          }),
        }),
      {},
      { seq: 5 },
      "superseded 0: GET GET PUT GET GET",
    ],
    [
      "409 older_build, and the row does not show it",
      (board) => board.plan({ [PUT]: { status: 409, body: '{"error":"older","code":"older_build"}' } }),
      {},
      { seq: 5 },
      "failed 5 policy_denied: GET GET PUT GET GET",
    ],
    [
      "held between the read and the write",
      (board) => board.plan({ [PUT]: { status: 409, body: '{"error":"held by ops: audit","code":"held"}' } }),
      {},
      {},
      "failed 5 policy_denied: GET GET PUT",
    ],
    [
      "a 409 that passes",
      (board) => board.plan({ [PUT]: [{ status: 409, body: '{"error":"a rollout"}' }, board.put] }),
      {},
      {},
      "landed 0: GET GET PUT PUT GET",
    ],
    [
      "the write refused as a method",
      (board) => board.plan({ [PUT]: { status: 405 } }),
      {},
      {},
      "failed 10 server_unsupported: GET GET PUT",
    ],
    [
      "a condition wanted although there was one",
      (board) => board.plan({ [PUT]: { status: 428 } }),
      {},
      {},
      "failed 10 server_unsupported: GET GET PUT",
    ],
    [
      "touched",
      (board) => {
        board.move(NEW);
        return board.plan();
      },
      { touch: true },
      {},
      "landed 0: GET GET PUT GET",
    ],
    [
      "touched, and overtaken by the same digest",
      (board) => {
        board.move(NEW);
        return board.plan({ [PUT]: board.after(() => board.move(NEW), board.put) });
      },
      { touch: true },
      {},
      "already 0: GET GET PUT GET GET GET",
    ],
    [
      "touched, overtaken by the same digest, and then nothing can be read",
      (board) => {
        board.move(NEW);
        return board.plan({
          [LIST]: [board.list, board.list, { status: 401 }],
          [PUT]: board.after(() => board.move(NEW), board.put),
        });
      },
      { touch: true },
      {},
      "failed 4 unauthorized: GET GET PUT GET GET GET",
    ],
    [
      "changed between the two reads, and then not any more",
      (board) => board.plan({ [SHOW]: [board.after(() => board.move(FOREIGN), board.show), board.show] }),
      {},
      {},
      "landed 0: GET GET GET GET PUT GET",
    ],
    [
      "a version that comes late",
      (board) => board.plan({ [SHOW]: [{ status: 503 }, board.show] }),
      {},
      {},
      "landed 0: GET GET GET GET PUT GET",
    ],
    // Never taken for a server without conditions: that would open the window again.
    [
      "a version that never comes",
      (board) => board.plan({ [SHOW]: { status: 503 } }),
      { timeoutMs: 9_000 },
      {},
      "failed 13 server_failed: GET GET GET GET",
    ],
  ];
  test.each(changes)("%s", async (_what, plan, rules, note, wanted) => {
    const ran = await run(plan(new VersionedBoard(OLD)), rules, note);
    expect(ran.told).toBe(wanted);
  });

  test("an answer that was lost is told with the window of its write, and with what kept it unproven", async () => {
    const [board, lagging] = [new VersionedBoard(OLD), new VersionedBoard(OLD)];
    const found = await run(
      board.plan({
        [LIST]: [board.list, lagging.list, board.list],
        [PUT]: [board.applied(LOST), board.put],
      }),
    );
    expect(found).toMatchObject({ told: expect.stringMatching(/^landed_after/u), race: "closed" });
    const other = new VersionedBoard(OLD);
    const unread = await run(
      other.plan({ [LIST]: [other.list, { status: 401 }], [PUT]: [LOST, { status: 412 }] }),
    );
    expect(unread.told).toStartWith("outcome_unknown 14");
    expect(unread.message).toContain("the pin listing answered 401");
  });

  test("a version that is no answer leaves what the listing showed", async () => {
    const board = new VersionedBoard(OLD);
    await using server = await scriptedServer(board.plan({ [SHOW]: { send: "endless" } }));
    const [leg] = await promoteLegs({ targets: [target(server.url)] });
    expect(leg).toMatchObject({ before: { digest: OLD }, failure: { code: "answer_too_large" } });
  });

  test("an overtaken write names both digests", async () => {
    const board = new VersionedBoard(OLD);
    const ran = await run(board.plan({ [PUT]: board.after(() => board.move(FOREIGN), board.put) }));
    expect(ran.message).toContain(FOREIGN);
    expect(ran.message).toContain(NEW);
    expect(ran.race).toBeNull();
  });
});

describe("on a server that only looks like one", () => {
  const plain = (): Board => new Board(OLD);
  const tagged = (board: Board, etag: string) => () => ({
    ...(board.digest === null ? listing() : listing(row(board.digest))),
    headers: { etag },
  });
  const rows: [string, string, Plan, string][] = [
    ["a weak ETag", 'W/"1"', {}, "landed 0: GET POST GET"],
    ["an ETag without quotes", "1", {}, "landed 0: GET POST GET"],
    ["an ETag, and no route", '"1"', {}, "landed 0: GET GET POST GET"],
    ["an ETag, and a page", '"1"', { [SHOW]: { body: "<html>" } }, "landed 0: GET GET POST GET"],
    ["an ETag, and 401", '"1"', { [SHOW]: { status: 401 } }, "landed 0: GET GET POST GET"],
    [
      "an ETag, and a row without one",
      '"1"',
      { [SHOW]: { body: JSON.stringify(row(OLD)) } },
      "landed 0: GET GET POST GET",
    ],
    [
      "an ETag, and a row with a weak one",
      '"1"',
      { [SHOW]: { body: JSON.stringify(row(OLD)), headers: { etag: 'W/"1"' } } },
      "landed 0: GET GET POST GET",
    ],
  ];
  test.each(rows)("%s: the window stays open, and is called so", async (_what, etag, more, wanted) => {
    const board = plain();
    const ran = await run({ [LIST]: tagged(board, etag), [PROMOTE]: board.promote, ...more });
    expect(ran).toMatchObject({ told: wanted, race: "open", put: null });
  });
});

describe("--expect-previous", () => {
  const rows: [string, string | null, PromotionRules["expectPrevious"], string][] = [
    ["is there", OLD, OLD, "landed 0: GET POST GET"],
    ["is not there", FOREIGN, OLD, "failed 11 previous_differs: GET"],
    ["is none, and there is none", null, "none", "landed 0: GET POST GET"],
    ["is none, and there is one", OLD, "none", "failed 11 previous_differs: GET"],
    ["is there no more, and the wanted one is", NEW, OLD, "already 0: GET"],
    ["is there, and there is no row", null, OLD, "failed 11 previous_differs: GET"],
  ];
  test.each(rows)("%s", async (_what, now, expectPrevious, wanted) => {
    const board = new Board(now);
    const ran = await run({ [LIST]: board.list, [PROMOTE]: board.promote }, { expectPrevious });
    expect(ran.told).toBe(wanted);
    if (wanted.startsWith("failed")) expect(ran.message).toContain(`expected ${expectPrevious}`);
  });
});

describe("--seq", () => {
  const force = { reason: "7 is broken", rollback: true, breakGlass: false };
  const rows: [string, number | null, Partial<PinNote>, Partial<PromotionRules>, string][] = [
    ["newer than the pinned one", 7, { seq: 8 }, {}, "landed 0: GET GET PUT GET"],
    ["the same", 7, { seq: 7 }, {}, "landed 0: GET GET PUT GET"],
    ["older", 7, { seq: 6 }, {}, "superseded 0: GET GET"],
    ["older, which is a failure", 7, { seq: 6 }, { superseded: "fail" }, "superseded 5 superseded: GET GET"],
    ["older, to go back", 7, { seq: 6, force }, {}, "landed 0: GET GET PUT GET"],
    ["where none is kept", null, { seq: 6 }, {}, "landed 0: GET GET PUT GET"],
    ["older, in a dry run", 7, { seq: 6 }, { dryRun: true }, "superseded 0: GET GET"],
  ];
  test.each(rows)("%s", async (_what, pinned, note, rules, wanted) => {
    const ran = await run(new VersionedBoard(OLD, pinned).plan(), rules, note);
    expect(ran.told).toBe(wanted);
    if (note.force !== undefined)
      expect(ran.put?.body).toEqual({
        template_name: "codex",
        image_digest: NEW,
        seq: 6,
        rollback: true,
        reason: "7 is broken",
      });
  });

  test("proves by the listing of any server that shows one", async () => {
    const listed = listing(row(OLD, { seq: 9 }));
    expect((await run({ [LIST]: listed }, {}, { seq: 8 })).told).toBe("superseded 0: GET");
  });

  test.each(["9", -1, 1.5, null, 2 ** 60])("a row with the number %p has none", async (seq) => {
    const ran = await run(
      { [LIST]: [listing(row(OLD, { seq })), listing(row(NEW))], [PROMOTE]: OK },
      {},
      { seq: 8 },
    );
    expect(ran.told).toBe("landed 0: GET POST GET");
  });
});

describe("a stop", () => {
  const held = { kind: "held", reason: "an audit", by: "api-token-1" };
  test("keeps the pin where it is, before anything is sent", async () => {
    const board = new VersionedBoard(OLD);
    board.stops = [held];
    const ran = await run(board.plan());
    expect(ran.told).toBe("failed 5 policy_denied: GET GET");
    expect(ran.message).toBe("codex in global may not be changed: held by api-token-1: an audit");
  });

  test("of another digest does not", async () => {
    const board = new VersionedBoard(OLD);
    board.stops = [{ ...held, kind: "vetoed", image_digest: FOREIGN }];
    expect((await run(board.plan())).told).toBe("landed 0: GET GET PUT GET");
    board.move(OLD);
    board.stops = [{ ...held, kind: "vetoed", image_digest: NEW }];
    expect((await run(board.plan())).told).toBe("failed 5 policy_denied: GET GET");
  });

  test("is broken with a reason", async () => {
    const board = new VersionedBoard(OLD);
    board.stops = [held];
    const ran = await run(board.plan(), {}, { force: { reason: "down", rollback: false, breakGlass: true } });
    expect(ran.told).toBe("landed 0: GET GET PUT GET");
    expect(ran.put?.body).toMatchObject({ break_glass: true, reason: "down" });
    expect(ran.put?.body).not.toHaveProperty("rollback");
  });
});

describe("the idempotency key", () => {
  async function keys(plan: Plan, run: string): Promise<(string | undefined)[]> {
    await using server = await scriptedServer(plan);
    await promoteLegs({ targets: [target(server.url)], run });
    return server.requests
      .filter(({ method }) => method !== "GET")
      .map(({ headers }) => headers["idempotency-key"]);
  }
  const busy = { [LIST]: list(OLD), [PROMOTE]: [{ status: 429 }, { status: 429 }, OK] };

  test("is one for all attempts of a run, and another in another run", async () => {
    const first = await keys(busy, "https://ci/1");
    const again = await keys(busy, "https://ci/1");
    const other = await keys(busy, "https://ci/2");
    expect(first).toHaveLength(3);
    expect(first[0]).toMatch(/^"[0-9a-f]{64}"$/u);
    expect(new Set([...first, ...again]).size).toBe(1);
    expect(other[0]).not.toBe(first[0]);
  });

  test("is another one over another row", async () => {
    const over = await keys({ [LIST]: list(FOREIGN), [PROMOTE]: { status: 400 } }, "https://ci/1");
    expect(over[0]).not.toBe((await keys(busy, "https://ci/1"))[0]);
  });
});

test("the path of a pin has its template and region", async () => {
  const seen: string[] = [];
  const board = new VersionedBoard(OLD);
  const noted = (name: string) => () => {
    seen.push(name);
    return { status: 404 };
  };
  await using server = await scriptedServer({
    [LIST]: () => ({ ...listing(row(OLD, { region: "eu" })), headers: { etag: '"1"' } }),
    "GET /v1/pins/codex/eu": noted("eu"),
    [SHOW]: board.show,
    [PROMOTE]: { status: 400 },
  });
  await promoteLegs({
    targets: [target(server.url)],
    pins: [{ template: "codex", region: "eu", digest: NEW }],
  });
  expect(seen).toEqual(["eu"]);
  expect(PIN).toBe("/v1/pins/codex/global");
});
