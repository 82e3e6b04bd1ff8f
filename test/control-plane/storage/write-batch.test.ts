import { expect, test } from "bun:test";
import { ChainCheck } from "../../../src/control-plane/events/event-chain.ts";
import { readEvents } from "../../../src/control-plane/events/event-log.ts";
import { recordChange } from "../../../src/control-plane/events/events.ts";
import { liftStop, setStop } from "../../../src/control-plane/pins/pin-stops.ts";
import { findPin } from "../../../src/control-plane/pins/pin-rows.ts";
import { writePin } from "../../../src/control-plane/pins/pins.ts";
import type { Database, WriteSql } from "../../../src/control-plane/storage/database.ts";
import { PutTable } from "../../../src/control-plane/storage/put-rows.ts";
import { imageDigestOf, rejection, withPlane } from "../plane.ts";

/** Writes that share a transaction and the statements of it, on both engines. */
const BY = { actor: "test", env: "prod", at: "2026-11-21T12:00:00.000000Z", requestId: null };

function pin(sql: WriteSql, template_name: string, text: string): Promise<{ readonly version: number }> {
  const promotion = { template_name, region: "global", image_digest: imageDigestOf(text) };
  return writePin(sql, "prod", promotion, { kind: "none" }, BY, null);
}

async function pinned(database: Database, template: string): Promise<string | null> {
  const found = await database.read((sql) => findPin(sql, "prod", template, "global"));
  return found?.pin.image_digest ?? null;
}

/** The subjects of all events, whose chain has to hold. */
async function recorded(database: Database): Promise<string[]> {
  const { events, head } = await readEvents(database, 0, 1_000);
  const check = new ChainCheck(null);
  for (const event of events) check.add(event);
  expect(check.report(head).problem).toBeNull();
  return events.map(({ subject }) => subject);
}

test("a write that changes its mind takes back its rows and its events, before and after they were sent", async () => {
  await withPlane(async ({ database }) => {
    const settled = await Promise.allSettled([
      database.write((sql) => pin(sql, "a", "first")),
      database.write(async (sql) => {
        await pin(sql, "a", "never");
        throw new Error("before");
      }),
      database.write(async (sql) => {
        await pin(sql, "a", "never");
        await pin(sql, "b", "never");
        // Any other statement sends what was put.
        await sql.run("DELETE FROM readiness");
        throw new Error("after");
      }),
      database.write(async (sql) => {
        await pin(sql, "d", "never");
        throw new Error("before");
      }),
      database.write(async (sql) => {
        expect((await findPin(sql, "prod", "a", "global"))?.pin.image_digest).toBe(imageDigestOf("first"));
        return pin(sql, "c", "last");
      }),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    const pins = await Promise.all(["a", "b", "c", "d"].map((name) => pinned(database, name)));
    expect(pins).toEqual([imageDigestOf("first"), null, imageDigestOf("last"), null]);
    expect(await recorded(database)).toEqual(["a/global", "c/global"]);
    // Nor is anything of it remembered.
    const { version } = await database.write((sql) => pin(sql, "a", "second"));
    expect(version).toBe(3);
    const [{ before_json } = { before_json: null }] = await database.read((sql) =>
      sql.rows<{ before_json: string | null }>("SELECT before_json FROM events WHERE seq = 3"),
    );
    expect(before_json).toContain(imageDigestOf("first"));
  });
});

test("a thousand writes of one pin and of many are each in the record, and the last one is the row", async () => {
  await withPlane(async ({ database }) => {
    const names = Array.from({ length: 1_000 }, (_, at) => `t-${at % 7 === 0 ? 0 : at}`);
    const versions = await Promise.all(
      names.map((name, at) => database.write((sql) => pin(sql, name, String(at)))),
    );
    expect(versions.map(({ version }) => version)).toEqual(names.map((_, at) => at + 1));
    expect(await recorded(database)).toEqual(names.map((name) => `${name}/global`));
    expect(await pinned(database, "t-0")).toBe(imageDigestOf("994"));
    expect(await pinned(database, "t-999")).toBe(imageDigestOf("999"));
  });
});

test("a stop counts for the writes behind it in the same transaction, until it is lifted or was never set", async () => {
  await withPlane(async ({ database }) => {
    const freeze = { kind: "frozen" } as const;
    const settled = await Promise.allSettled([
      database.write((sql) => pin(sql, "a", "1")),
      setStop(database, "prod", freeze, "an incident", BY),
      database.write((sql) => pin(sql, "a", "2")),
      liftStop(database, "prod", freeze, BY),
      database.write((sql) => pin(sql, "a", "3")),
      database.write(async (sql) => {
        await sql.run("INSERT INTO pin_stops VALUES ('prod', 'frozen', '', '', 'never', 'now', 'test')");
        throw new Error("changed my mind");
      }),
      database.write((sql) => pin(sql, "a", "4")),
    ]);
    const told = settled.map((one) => (one.status === "fulfilled" ? "done" : (one.reason.code ?? "undone")));
    expect(told).toEqual(["done", "done", "frozen", "done", "done", "undone", "done"]);
    expect(await pinned(database, "a")).toBe(imageDigestOf("4"));
  });
});

test("what another server of the database changed meanwhile is seen", async () => {
  await withPlane(async ({ database, again }) => {
    await database.write((sql) => pin(sql, "a", "1"));
    const other = await again();
    try {
      await setStop(other, "prod", { kind: "frozen" }, "an incident", BY);
      expect(await rejection(database.write((sql) => pin(sql, "a", "2")))).toMatchObject({ code: "frozen" });
      await liftStop(other, "prod", { kind: "frozen" }, BY);
      await other.write((sql) => pin(sql, "a", "3"));
      await database.write((sql) => pin(sql, "a", "4"));
      const [last] = (await readEvents(database, 4, 1)).events;
      expect(last?.before_json).toContain(imageDigestOf("3"));
    } finally {
      await other.close();
    }
    await recorded(database);
  });
});

test("a row that a table refuses, or a look that fails, acknowledges nothing of its transaction", async () => {
  await withPlane(async ({ database }) => {
    const bad = new PutTable("INSERT INTO artifacts (sha256, bytes, stored_at, stored_by) VALUES", 4);
    const failures: readonly ((sql: WriteSql) => Promise<unknown>)[] = [
      async (sql) => sql.put(bad, "x", ["too short", 1, "now", "test"]),
      (sql) => sql.peek("SELECT nothing FROM nowhere"),
      (sql) => sql.peek("SELECT nothing FROM nowhere").catch(() => "as if nothing had happened"),
    ];
    for (const fail of failures) {
      const settled = await Promise.allSettled([
        database.write((sql) => pin(sql, "a", "1")),
        database.write((sql) => sql.run("DELETE FROM readiness")),
        database.write(fail),
        database.write((sql) => pin(sql, "b", "1")),
      ]);
      for (const one of settled) {
        expect(one).toMatchObject({ status: "rejected", reason: { code: "storage_failed" } });
      }
      expect(await recorded(database)).toEqual([]);
    }
    await database.write(async (sql) =>
      recordChange(sql, BY, { action: "x", subject: "works again", before: null, after: null }),
    );
    expect(await recorded(database)).toEqual(["works again"]);
  });
});
