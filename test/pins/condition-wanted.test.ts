import { describe, expect, test } from "bun:test";
import type { Step } from "../support/scripted-server.ts";
import { LIST, NEW, OLD, PROMOTE } from "./rows.ts";
import { runConditional as run } from "./run-conditional.ts";
import { list, LOST, RULES } from "./run-legs.ts";
import { PUT, VersionedBoard } from "./versioned-board.ts";

describe("428 in answer to a plain write", () => {
  const plain =
    (board: VersionedBoard): Step =>
    () => ({ body: JSON.stringify({ pins: [board.row()] }) });

  test("makes it a conditional one", async () => {
    const board = new VersionedBoard(OLD);
    const ran = await run(board.plan({ [LIST]: plain(board), [PROMOTE]: { status: 428 } }));
    expect(ran).toMatchObject({ told: "landed 0: GET POST GET GET PUT GET", race: "closed" });
    expect(ran.put?.headers["if-match"]).toBe('"1"');
  });

  test("of a server that shows no versions is the end", async () => {
    const ran = await run({ [LIST]: list(OLD), [PROMOTE]: { status: 428 } });
    expect(ran.told).toBe("failed 10 server_unsupported: GET POST GET GET");
  });

  test("is obeyed once, and not for ever", async () => {
    const board = new VersionedBoard(OLD);
    const plan = board.plan({ [LIST]: plain(board), [PROMOTE]: { status: 428 }, [PUT]: { status: 428 } });
    expect((await run(plan)).told).toBe("failed 10 server_unsupported: GET POST GET GET PUT");
  });

  test("after somebody else brought our digest finds it there", async () => {
    const ran = await run({ [LIST]: list(OLD, NEW), [PROMOTE]: { status: 428 } });
    expect(ran.told).toBe("already 0: GET POST GET");
  });

  describe("after one whose answer was lost", () => {
    const lost = [LOST, { status: 428 }];

    test("does not make it one that was not sent", async () => {
      const { race, told } = await run({ [LIST]: list(OLD), [PROMOTE]: lost });
      expect([race, told.split(":")[0]]).toEqual(["open", "outcome_unknown 14 outcome_unknown"]);
    });

    test("nor does a rule that refuses the next", async () => {
      const board = new VersionedBoard(OLD);
      board.stops = [{ kind: "held" }];
      const ran = await run(board.plan({ [LIST]: plain(board), [PROMOTE]: lost }));
      expect(ran.told).toBe("outcome_unknown 14 outcome_unknown: GET POST GET GET POST GET GET");
      expect(ran.message).toContain("may not be changed: held");
    });

    test("and what is there by then may be its work", async () => {
      const ran = await run({ [LIST]: list(OLD, OLD, OLD, NEW), [PROMOTE]: lost });
      expect(ran.told).toBe("landed_after_lost_response 0: GET POST GET GET POST GET");
    });

    test("unless it does not stay there", async () => {
      const readBack = { ...RULES.readBack, stable: 2 };
      const ran = await run({ [LIST]: list(OLD, OLD, OLD, NEW, OLD), [PROMOTE]: lost }, { readBack });
      expect(ran.told).toStartWith("outcome_unknown 14 outcome_unknown: GET POST GET GET POST GET GET");
    });

    test("while the next one, with its condition, is proven like any other", async () => {
      const board = new VersionedBoard(OLD);
      const ran = await run(board.plan({ [LIST]: plain(board), [PROMOTE]: lost }));
      expect(ran).toMatchObject({ told: "landed 0: GET POST GET GET POST GET GET PUT GET", race: "closed" });
    });
  });
});
