import { describe, expect, test } from "bun:test";
import { scriptedServer } from "../support/scripted-server.ts";
import { FakeClock } from "./fake-clock.ts";
import { OLD } from "./rows.ts";
import { promoteLegs, summary, target } from "./run-legs.ts";
import { PUT, SHOW, VersionedBoard } from "./versioned-board.ts";

describe("on a server that knows versions", () => {
  test("a version that cannot be read is asked for again when the server said", async () => {
    const board = new VersionedBoard(OLD);
    const clock = new FakeClock();
    const busy = { status: 503, headers: { "retry-after": "7" } };
    await using server = await scriptedServer(board.plan({ [SHOW]: [busy, board.show] }));
    const [leg] = await promoteLegs({ targets: [target(server.url)], clock });
    expect(leg?.outcome).toBe("landed");
    expect(clock.slept).toEqual([7_000]);
  });

  test("after a signal no write is sent again", async () => {
    const board = new VersionedBoard(OLD);
    const stop = new AbortController();
    const clock = { now: () => 0, sleep: async () => stop.abort("SIGTERM") };
    await using server = await scriptedServer(board.plan({ [PUT]: { status: 409 } }));
    const given = { targets: [target(server.url)], clock, exchange: { stop: stop.signal } };
    const [leg] = await promoteLegs(given);
    expect(leg === undefined ? "" : summary(leg)).toBe("failed 143 terminated: GET GET PUT");
  });
});
