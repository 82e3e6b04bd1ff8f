import { describe, expect, test } from "bun:test";
import { Database as Connection } from "bun:sqlite";
import { eachPinEvent, pinEvents } from "../../../src/control-plane/pins/pin-events.ts";
import { liftStop, setStop } from "../../../src/control-plane/pins/pin-stops.ts";
import { writePin } from "../../../src/control-plane/pins/pins.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { openSqlite } from "../../../src/control-plane/storage/sqlite-database.ts";
import { SQLITE_STEPS } from "../../../src/control-plane/storage/sqlite-migrations.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { imageDigestOf, withPlane } from "../plane.ts";

/** Events about one pin, by the number that each has of the one before: all of them, from wherever one asks. */
const BY = { actor: "test", env: "prod", at: "2026-11-21T12:00:00.000000Z", requestId: null };
const PLACE = { template_name: "codex", region: "global" };
const HELD = { kind: "held", ...PLACE } as const;

async function promote(database: Database, template_name: string, text: string): Promise<void> {
  const promotion = { template_name, region: "global", image_digest: imageDigestOf(text) };
  const force = { rollback: false, breakGlass: true, reason: "test" };
  await database.write((sql) => writePin(sql, "prod", { ...promotion, force }, { kind: "none" }, BY, null));
}

/** What the table has about the pin, newest first. */
async function wanted(database: Database): Promise<number[]> {
  const rows = await database.read((sql) =>
    sql.rows<{ seq: number }>("SELECT seq FROM events WHERE subject = 'codex/global' ORDER BY seq DESC"),
  );
  return rows.map(({ seq }) => seq);
}

async function expectAllPages(database: Database, last: number): Promise<void> {
  const all = await wanted(database);
  for (const limit of [1, 2, 3, 50]) {
    for (let before = 1; before <= last + 2; before++) {
      const page = await database.read((sql) => pinEvents(sql, "prod", PLACE, before, limit));
      const own = all.filter((seq) => seq < before).slice(0, limit);
      expect([before, limit, page.map(({ seq }) => seq)]).toEqual([before, limit, own]);
    }
  }
}

describe("events about a pin", () => {
  test("are all found: holds before it was there, promotions, holds, and what happened to others between", async () => {
    await withPlane(async ({ database }) => {
      await setStop(database, "prod", HELD, "not yet", BY);
      await liftStop(database, "prod", HELD, BY);
      for (let at = 0; at < 8; at++) {
        await promote(database, "codex", String(at));
        await promote(database, "other", String(at));
        if (at % 3 === 1) await setStop(database, "prod", HELD, "a while", BY);
      }
      await setStop(database, "prod", { kind: "frozen" }, "all", BY);
      expect(await wanted(database)).toHaveLength(13);
      await expectAllPages(database, 22);
    });
  });

  test("are walked through page by page, and but for the first one stand in no index", async () => {
    await withPlane(async ({ database }) => {
      await Promise.all(Array.from({ length: 401 }, (_, at) => promote(database, "codex", String(at))));
      const nameless = await database.read((sql) =>
        sql.rows("SELECT seq FROM events WHERE previous IS NULL"),
      );
      expect(nameless).toEqual([{ seq: 1 }]);
      const seen: number[] = [];
      await database.read(async (sql) => {
        for await (const { seq } of eachPinEvent(sql, "prod", PLACE)) seen.push(seq);
      });
      expect(seen).toEqual(await wanted(database));
      expect(seen).toHaveLength(401);
    });
  });

  test("of an older waybill are found with those after them", async () => {
    using folder = temporaryFolder();
    const path = folder.at("x.sqlite");
    const older = new Connection(path);
    const step = SQLITE_STEPS.findIndex((text) => text.includes("last_event"));
    for (const text of SQLITE_STEPS.slice(0, step)) older.run(text);
    older.run(`PRAGMA user_version = ${step}`);
    const event = "INSERT INTO events (seq, at, env, actor, action, decision, subject) VALUES";
    for (let seq = 1; seq <= 5; seq++) {
      older.run(`${event} (${seq}, 't', 'prod', 'a', 'pin.promote', 'allowed', 'codex/global')`);
    }
    older.run("UPDATE event_head SET seq = 5");
    older.run(
      `INSERT INTO pins VALUES ('prod', 'codex', 'global', '${imageDigestOf("old")}', NULL, NULL, 't', 'a', 5, NULL)`,
    );
    older.close();
    const newer = openSqlite(path, false);
    try {
      for (let at = 0; at < 4; at++) await promote(newer, "codex", String(at));
      expect(await wanted(newer)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
      await expectAllPages(newer, 9);
      // What an older server of the same database adds meanwhile names nothing, and is found all the same.
      await newer.write((sql) =>
        sql.run(`${event} (10, 't', 'prod', 'a', 'pin.promote', 'allowed', 'codex/global')`),
      );
      await newer.write((sql) => sql.run("UPDATE event_head SET seq = 10"));
      for (let at = 0; at < 3; at++) await promote(newer, "codex", String(at));
      expect(await wanted(newer)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
      await expectAllPages(newer, 13);
    } finally {
      await newer.close();
    }
  });
});
