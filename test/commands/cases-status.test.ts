import { describe, expect, test } from "bun:test";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, VERIFY_WORDS } from "../pins/case-run.ts";
import { PUT, SHOW, VersionedBoard } from "../pins/versioned-board.ts";
import { runWaybill } from "../support/binary.ts";
import { scriptedServer, type Answer, type Plan, type Step } from "../support/scripted-server.ts";

const OLD_LIST = listing(row(OLD));
const PAGE: Answer = { body: "<html>::stop-commands::x</html>", headers: { "content-type": "text/html" } };

function answering(...answers: readonly Step[]): Plan {
  return { [LIST]: OLD_LIST, [PROMOTE]: answers };
}

/** Answers first with these, and then takes the write. */
function then(...answers: readonly Answer[]): Plan {
  const board = new Board(OLD);
  return { [LIST]: board.list, [PROMOTE]: [...answers, board.promote] };
}

describe("the status of an answer", () => {
  test.each([201, 202])("case 16: %i is an acceptance that the read-back decides", async (status) => {
    const board = new Board(OLD);
    const taken = await runCase(PROMOTE_WORDS, { [LIST]: board.list, [PROMOTE]: board.applied({ status }) });
    expect(taken.told).toBe("landed 0: GET POST GET");
    const lied = await runCase(PROMOTE_WORDS, answering({ status }), ["--for", "10ms"]);
    expect(lied.told).toMatch(/^mismatch 8 pin_mismatch: GET POST GET/u);
  });

  test.each([301, 302, 303, 307, 308])(
    "case 17: %i is not followed, and told by its origin",
    async (status) => {
      await using elsewhere = await scriptedServer({});
      const redirect = { status, headers: { location: `${elsewhere.url}/cp?token=abc` } };
      const posted = await runCase(PROMOTE_WORDS, answering(redirect));
      expect(posted.told).toBe("failed 10 redirect_refused: GET POST");
      expect(posted.stderr).toContain(`(to ${elsewhere.url})`);
      expect(posted.stderr).not.toContain("token=abc");
      expect((await runCase(VERIFY_WORDS, { [LIST]: redirect })).told).toBe(
        "failed 10 redirect_refused: GET",
      );
      expect(elsewhere.connections()).toBe(0);
    },
  );

  test("case 18: 400 is the server's no, in its own words, once", async () => {
    const run = await runCase(
      PROMOTE_WORDS,
      answering({
        status: 400,
        body: '{"error":"image_digest must be sha256:<64 hex>\\n::stop-commands::x"}',
      }),
    );
    expect(run.told).toBe("failed 9 request_rejected: GET POST");
    expect(run.leg.error?.server_text).toContain("image_digest must be sha256:<64 hex>");
    expect(run.stderr).not.toContain("\n::stop-commands::");
  });

  test("case 19: 401 names the variable and the environment, and stops no other", async () => {
    const board = new Board(OLD);
    await using good = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
    await using bad = await scriptedServer(answering({ status: 401 }));
    const flags = ["--template", "codex", "--digest", NEW, "--allow-insecure-http"];
    const run = await runWaybill(
      ["promote", ...flags, "--target", `staging=${bad.url}`, "--target", `prod=${good.url}`],
      { env: { WAYBILL_TOKEN_STAGING: "staging-token-1", WAYBILL_TOKEN_PROD: "prod-token-12" } },
    );
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("error: staging: ");
    expect(run.stderr).toContain("$WAYBILL_TOKEN_STAGING");
    expect(run.stdout).toContain("OK      prod: codex (global) landed");
  });

  test("case 20: a token that may promote and not read is told so, before anything is written", async () => {
    const plan = { [LIST]: { status: 401 }, [PROMOTE]: { body: JSON.stringify(row(NEW)) } };
    const run = await runCase(PROMOTE_WORDS, plan);
    expect(run.told).toBe("failed 4 unauthorized: GET");
    expect(run.leg.error?.hint).toContain("--read-token-env");
    expect(run.server.attempts(PROMOTE)).toBe(0);
    const blind = await runCase(PROMOTE_WORDS, plan, ["--no-verify"]);
    expect(blind.told).toBe("written_unverified 14 written_unverified: GET POST");
    // What has to be compared with the row is not written blindly.
    const compared = await runCase(PROMOTE_WORDS, plan, ["--no-verify", "--expect-previous", OLD]);
    expect(compared.told).toBe("failed 4 unauthorized: GET");
  });

  test("case 20: and a token that loses the right to read in between leaves it unverified", async () => {
    const run = await runCase(PROMOTE_WORDS, {
      ...answering({ body: "{}" }),
      [LIST]: [OLD_LIST, { status: 401 }],
    });
    expect(run.told).toBe("written_unverified 14 written_unverified: GET POST GET");
    expect(run.leg.error?.hint).toContain("--read-token-env");
  });

  test("case 21: 403 of a policy is 5, of something in between 4 with a hint", async () => {
    const policy = await runCase(
      PROMOTE_WORDS,
      answering({ status: 403, body: '{"error":"the ref is not main","code":"policy_denied"}' }),
    );
    expect(policy.told).toBe("failed 5 policy_denied: GET POST");
    expect(policy.stderr).toContain("the ref is not main");
    const edge = await runCase(PROMOTE_WORDS, answering({ ...PAGE, status: 403 }));
    expect(edge.told).toBe("failed 4 edge_blocked: GET POST");
    expect(edge.leg.error?.hint).toContain("--user-agent");
    const reading = await runCase(VERIFY_WORDS, { [LIST]: { ...PAGE, status: 403 } });
    expect(reading.told).toBe("failed 4 edge_blocked: GET");
    const named = await runCase(VERIFY_WORDS, { [LIST]: listing(row(NEW)) }, ["--user-agent", "curl/8.4.0"]);
    expect(named.server.requests[0]?.headers["user-agent"]).toBe("curl/8.4.0");
  });

  test("case 22: 404 of both routes is a wrong URL, of one of them an unknown server", async () => {
    // Two requests each, which a busy machine must have the time for.
    const patient = ["--timeout", "20s"];
    expect((await runCase(PROMOTE_WORDS, {}, patient)).told).toBe("failed 12 wrong_base_url: GET");
    expect((await runCase(VERIFY_WORDS, {}, patient)).told).toBe("failed 12 wrong_base_url: GET");
    const reads = await runCase(PROMOTE_WORDS, { [LIST]: OLD_LIST });
    expect(reads.told).toBe("failed 10 server_unsupported: GET POST");
    const writes = await runCase(PROMOTE_WORDS, {
      "GET /cp/admin/runtime-image/promote": { status: 405 },
      [PROMOTE]: { body: "{}" },
    });
    expect(writes.told).toBe("failed 10 server_unsupported: GET");
    expect(writes.server.attempts(PROMOTE)).toBe(0);
  });

  test.each([405, 415])("case 23: %i is an unknown server", async (status) => {
    expect((await runCase(PROMOTE_WORDS, answering({ status }))).told).toBe(
      "failed 10 server_unsupported: GET POST",
    );
  });

  test.each([408, 425, 429, 503])(
    "case 24: %i with Retry-After waits for as long as it asks",
    async (status) => {
      const run = await runCase(PROMOTE_WORDS, then({ status, headers: { "retry-after": "1" } }), [
        "--retry-interval",
        "1h",
        "--timeout",
        "20s",
      ]);
      expect(run.code).toBe(0);
      const waits = run.leg.attempts.flatMap(({ retry_in_ms }) => retry_in_ms ?? []);
      expect(waits).toEqual([1_000]);
    },
  );

  test("case 24: a date counts from the server's own clock", async () => {
    const headers = {
      date: "Sat, 21 Nov 2020 10:00:00 GMT",
      "retry-after": "Sat, 21 Nov 2020 10:00:01 GMT",
    };
    const run = await runCase(PROMOTE_WORDS, then({ status: 429, headers }), [
      "--retry-interval",
      "1h",
      "--timeout",
      "20s",
    ]);
    expect(run.code).toBe(0);
    expect(run.leg.attempts.flatMap(({ retry_in_ms }) => retry_in_ms ?? [])).toEqual([1_000]);
  });

  test("case 24: more than the budget is cut to the budget, for one last try", async () => {
    const asks = { status: 429, headers: { "retry-after": "99999" } };
    const flags = ["--retry-interval", "1h", "--timeout", "300ms"];
    const over = await runCase(PROMOTE_WORDS, answering(asks), flags);
    expect(over.told).toBe("failed 13 rate_limited: GET POST GET POST");
    expect(over.leg.error?.message).toContain("and still after 0.3 s");
    expect((await runCase(PROMOTE_WORDS, then(asks), flags)).told).toBe("landed 0: GET POST GET POST GET");
    expect((await runCase(VERIFY_WORDS, { [LIST]: asks }, [...flags, "--for", "300ms"])).told).toBe(
      "failed 13 rate_limited: GET GET",
    );
  });

  test("case 25: a rollout is waited out within its budget, which the failure names, and told once", async () => {
    const busy = { status: 409, body: '{"error":"retry after the rollout completes"}' };
    const passed = await runCase(PROMOTE_WORDS, then(busy, busy), ["--timeout", "10s"]);
    expect(passed.told).toBe("landed 0: GET POST GET POST GET POST GET");
    const waits = passed.leg.attempts.flatMap(({ retry_in_ms }) => retry_in_ms ?? []);
    expect(waits).toHaveLength(2);
    // A fifth to each side of 5 ms, rounded.
    for (const wait of waits) expect([4, 5, 6]).toContain(wait);
    const stays = await runCase(PROMOTE_WORDS, answering(busy), ["--conflict-budget", "30ms"]);
    expect(stays.told).toMatch(/^failed 11 conflict_persisted: GET POST/u);
    expect(stays.leg.error?.message).toContain("and still after 0.03 s");
    expect(stays.stderr.split("retry after the rollout completes")).toHaveLength(2);
  });

  test("case 25: what somebody else pinned while a rollout was waited out stays", async () => {
    const busy = { status: 409, body: '{"error":"retry after the rollout completes"}' };
    const meanwhile = (digest: string, seq: number): Plan => {
      const board = new VersionedBoard(OLD, 3);
      const plain = () => listing(board.row());
      return {
        [LIST]: plain,
        [PROMOTE]: [busy, board.after(() => board.move(digest, seq), busy), board.post],
      };
    };
    const flags = ["--timeout", "10s", "--expect-previous", OLD];
    const other = await runCase(PROMOTE_WORDS, meanwhile(FOREIGN, 3), flags);
    expect(other.told).toBe("failed 11 previous_differs: GET POST GET POST GET GET");
    expect(other.stderr).toContain(`codex is pinned to ${FOREIGN} now; wanted ${NEW}`);
    expect(other.leg).toMatchObject({ before: { digest: OLD }, race_window: null });
    const newer = await runCase(PROMOTE_WORDS, meanwhile(FOREIGN, 9), ["--timeout", "10s", "--seq", "5"]);
    expect(newer.told).toBe("superseded 0: GET POST GET POST GET GET");
    const ours = await runCase(PROMOTE_WORDS, meanwhile(NEW, 3), ["--timeout", "10s"]);
    expect(ours.told).toBe("already 0: GET POST GET POST GET GET");
    for (const { server } of [other, newer, ours]) expect(server.attempts(PROMOTE)).toBe(2);
  });

  test.each([
    ["older_build", "failed 5 policy_denied: GET POST GET"],
    ["vetoed", "failed 5 policy_denied: GET POST"],
    ["held", "failed 5 policy_denied: GET POST"],
    ["frozen", "failed 5 policy_denied: GET POST"],
  ])("case 26: 409 %s is never asked again", async (code, told) => {
    const run = await runCase(
      PROMOTE_WORDS,
      answering({ status: 409, body: JSON.stringify({ error: "because of an audit", code }) }),
      ["--conflict-budget", "10s"],
    );
    expect(run.told).toBe(told);
    expect(run.server.attempts(PROMOTE)).toBe(1);
  });

  test("case 27: 412 reads again: ours is there, a newer build is there, or somebody else's", async () => {
    const overtaken = (digest: string, seq: number | null) => {
      const board = new VersionedBoard(OLD);
      return board.plan({ [PUT]: board.after(() => board.move(digest, seq), board.put) });
    };
    expect((await runCase(PROMOTE_WORDS, overtaken(NEW, null))).told).toBe("already 0: GET GET PUT GET");
    const newer = await runCase(PROMOTE_WORDS, overtaken(FOREIGN, 9), ["--seq", "8"]);
    expect(newer.told).toBe("superseded 0: GET GET PUT GET GET");
    const other = await runCase(PROMOTE_WORDS, overtaken(FOREIGN, null));
    expect(other.told).toBe("failed 11 previous_differs: GET GET PUT GET GET");
    expect(other.leg.error?.message).toContain(FOREIGN);
    expect(other.leg.error?.message).toContain(NEW);
  });

  test("case 28: 428 makes the write a conditional one", async () => {
    const board = new VersionedBoard(OLD);
    const plan = board.plan({
      [LIST]: () => ({ body: JSON.stringify({ pins: [board.row()] }) }),
      [PROMOTE]: { status: 428 },
    });
    const run = await runCase(PROMOTE_WORDS, plan);
    expect(run.told).toBe("landed 0: GET POST GET GET PUT GET");
    expect(run.leg.race_window).toBe("closed");
    expect(run.server.attempts(SHOW)).toBe(1);
  });

  test("case 29: 500 in answer to the write is followed by a read, and only then by another write", async () => {
    const board = new Board(OLD);
    const applied = await runCase(PROMOTE_WORDS, {
      [LIST]: board.list,
      [PROMOTE]: board.applied({ status: 500 }),
    });
    expect(applied.told).toBe("landed_after_lost_response 0: GET POST GET");
    expect((await runCase(PROMOTE_WORDS, then({ status: 500 }), ["--timeout", "20s"])).told).toBe(
      "landed 0: GET POST GET GET POST GET",
    );
  });

  test.each([502, 503, 504])("case 30: %i is tried again", async (status) => {
    expect((await runCase(PROMOTE_WORDS, then({ status }), ["--timeout", "20s"])).told).toBe(
      "landed 0: GET POST GET GET POST GET",
    );
  });

  test("case 30: a server without a database is not", async () => {
    const body = '{"error":"runtime-image promotion unavailable: no database wired"}';
    const run = await runCase(PROMOTE_WORDS, answering({ status: 503, body }));
    expect(run.told).toBe("failed 13 server_failed: GET POST");
  });

  test.each([520, 522, 527])("case 31: %i with a page is 13, and the page is not shown", async (status) => {
    const run = await runCase(VERIFY_WORDS, { [LIST]: { ...PAGE, status } });
    expect(run.told).toBe("failed 13 server_failed: GET");
    expect(run.leg.error?.message).toBe(`the pin listing answered ${status} with a page`);
    const written = await runCase(PROMOTE_WORDS, answering({ ...PAGE, status }), ["--retry-interval", "1h"]);
    expect(written.told).toBe("outcome_unknown 14 outcome_unknown: GET POST GET GET");
    for (const { stdout, stderr } of [run, written]) expect(stdout + stderr).not.toContain("html>");
  });

  test("case 32: an empty 200 is no listing", async () => {
    expect((await runCase(VERIFY_WORDS, { [LIST]: { body: "" } })).told).toBe("failed 10 answer_empty: GET");
  });

  test.each([{ template_name: "hermes" }, { image_digest: FOREIGN }, { region: "eu" }])(
    "case 33: an answer that names %j is not ours, whatever is read",
    async (members) => {
      const body = JSON.stringify({ ...row(NEW), ...members });
      const run = await runCase(PROMOTE_WORDS, {
        [LIST]: [OLD_LIST, listing(row(NEW))],
        [PROMOTE]: { body },
      });
      expect(run.told).toBe("failed 8 response_mismatch: GET POST");
    },
  );

  test("case 34: a 200 with an error in it is none", async () => {
    const run = await runCase(PROMOTE_WORDS, answering({ body: '{"error":"nope"}' }));
    expect(run.told).toBe("failed 10 answer_unexpected: GET POST");
    const reading = await runCase(VERIFY_WORDS, { [LIST]: { body: '{"error":"nope"}' } });
    expect(reading.told).toBe("failed 10 answer_malformed: GET");
  });

  test.each(["0s", "-1s", "1e9", "1e9s", "NaN", "0", "99999999999s"])(
    "case 35: an interval of %s is refused before any request",
    async (text) => {
      const run = await runCase(PROMOTE_WORDS, {}, [`--retry-interval=${text}`]);
      expect(run.code).toBe(2);
      expect(run.server.connections()).toBe(0);
    },
  );
});
