import { Database as Connection } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { ChainCheck } from "../../../src/control-plane/events/event-chain.ts";
import { readEvents } from "../../../src/control-plane/events/event-log.ts";
import { recordDenial } from "../../../src/control-plane/events/events.ts";
import { SQLITE_STEPS } from "../../../src/control-plane/storage/sqlite-migrations.ts";
import { openSqlite } from "../../../src/control-plane/storage/sqlite-database.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { addArtifact, countArtifacts } from "./artifact-rows.ts";
import { rejection } from "../plane.ts";

const INSERT_EVENT =
  "INSERT INTO events (at, actor, action, decision, subject) VALUES ('t', 'a', 'x', 'allowed', 's')";

async function withDatabase(work: (database: Database, path: string) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  const path = folder.at("x.sqlite");
  const database = openSqlite(path, true);
  try {
    await work(database, path);
  } finally {
    await database.close();
  }
}

describe("group commit", () => {
  test("one bad write does not fail the others in its batch", async () => {
    await withDatabase(async (database) => {
      const settled = await Promise.allSettled([
        addArtifact(database, "a"),
        addArtifact(database, "a"),
        database.write(async (sql) => {
          await sql.run("INSERT INTO artifacts VALUES ($1, 1, 'now', 'test')", "b".repeat(64));
          throw new Error("changed my mind");
        }),
        addArtifact(database, "c"),
      ]);
      expect(settled.map((one) => one.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
      expect(settled[2]).toMatchObject({ reason: { message: "changed my mind" } });
      expect(await countArtifacts(database)).toBe(2);
    });
  });

  test("two hundred writes at once are a handful of transactions", async () => {
    await withDatabase(async (database, path) => {
      const names = Array.from({ length: 200 }, (_, at) => at.toString(16).padStart(64, "0"));
      await Promise.all(names.map((name) => addArtifact(database, name)));
      expect(await countArtifacts(database)).toBe(200);
      // A commit of its own for each of them would have left at least 200 frames of one page each.
      expect(statSync(`${path}-wal`).size).toBeLessThan(60 * 4_120);
    });
  });

  test("a write that waits for another connection's lock beyond its patience is storage_failed", async () => {
    await withDatabase(async (database, path) => {
      await database.write((sql) => sql.rows("PRAGMA busy_timeout = 0"));
      const other = new Connection(path);
      other.run("BEGIN IMMEDIATE");
      try {
        expect(await rejection(addArtifact(database, "a"))).toMatchObject({ code: "storage_failed" });
      } finally {
        other.run("ROLLBACK");
        other.close();
      }
      await addArtifact(database, "a");
      expect(await countArtifacts(database)).toBe(1);
    });
  });

  test("on a full disk what was acknowledged is there, and nothing else", async () => {
    await withDatabase(async (database) => {
      const [pages] = await database.read((sql) => sql.rows<{ page_count: number }>("PRAGMA page_count"));
      await database.write((sql) => sql.rows(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 4}`));
      const kept: string[] = [];
      let refused = 0;
      // In waves, each a transaction: the first ones fit.
      for (let wave = 0; wave < 40; wave++) {
        const names = Array.from({ length: 10 }, (_, at) => (wave * 10 + at).toString(16).padStart(64, "0"));
        const settled = await Promise.allSettled(names.map((name) => addArtifact(database, name)));
        for (const [at, name] of names.entries()) {
          if (settled[at]?.status === "fulfilled") kept.push(name);
          else refused++;
        }
      }
      expect([kept.length > 0, refused > 0]).toEqual([true, true]);
      const rows = await database.read((sql) => sql.rows<{ sha256: string }>("SELECT sha256 FROM artifacts"));
      expect(rows.map((row) => row.sha256).sort()).toEqual(kept);
    });
  });

  test("a reader never sees half a transaction", async () => {
    await withDatabase(async (database) => {
      let seen = -1;
      await database.write(async (sql) => {
        await sql.run("INSERT INTO artifacts VALUES ($1, 1, 'now', 'test')", "a".repeat(64));
        seen = await countArtifacts(database);
      });
      expect(seen).toBe(0);
      expect(await countArtifacts(database)).toBe(1);
    });
  });
});

describe("the file", () => {
  test("is the owner's alone, with its companions, and durable", async () => {
    await withDatabase(async (database, path) => {
      await addArtifact(database, "a");
      for (const name of readdirSync(join(path, ".."))) {
        expect([name, statSync(join(path, "..", name)).mode & 0o777]).toEqual([name, 0o600]);
      }
      const pragmas = await database.write(async (sql) => [
        await sql.rows("PRAGMA journal_mode"),
        await sql.rows("PRAGMA synchronous"),
        await sql.rows("PRAGMA foreign_keys"),
        await sql.rows("PRAGMA busy_timeout"),
      ]);
      expect(pragmas.map((rows) => JSON.stringify(rows))).toEqual([
        '[{"journal_mode":"wal"}]',
        '[{"synchronous":2}]',
        '[{"foreign_keys":1}]',
        '[{"timeout":5000}]',
      ]);
    });
  });

  test("opens again as it was", async () => {
    await withDatabase(async (database, path) => {
      await addArtifact(database, "a");
      const again = openSqlite(path, false);
      expect(await countArtifacts(again)).toBe(1);
      await again.close();
    });
  });

  test("of an older waybill is copied, then brought up to date", async () => {
    using folder = temporaryFolder();
    const path = folder.at("x.sqlite");
    const older = new Connection(path);
    for (const step of SQLITE_STEPS.slice(0, 2)) older.run(step);
    older.run("PRAGMA user_version = 2");
    older.run(INSERT_EVENT);
    older.run(`INSERT INTO artifacts VALUES ('${"a".repeat(64)}', 7, 't', 'nobody that is known')`);
    older.close();
    const newer = openSqlite(path, false);
    await recordDenial(
      newer,
      { actor: "test", env: null, at: "t", requestId: null },
      { action: "x", subject: "s", reason: "r" },
    );
    // What was stored before there was a quota counts.
    const use = await newer.read((sql) => sql.rows("SELECT env, bytes FROM storage_use"));
    expect(use).toEqual([{ env: "default", bytes: 7 }]);
    const { events, head } = await readEvents(newer, 0, 10);
    await newer.close();
    const check = new ChainCheck(null);
    for (const event of events) check.add(event);
    expect(check.report(head)).toMatchObject({ checked: 1, unchained: 1, problem: null });
    const [copy = ""] = readdirSync(join(path, "..")).filter((name) => name.includes(".before-"));
    expect(statSync(join(path, "..", copy)).mode & 0o777).toBe(0o600);
    const kept = new Connection(join(path, "..", copy), { readonly: true });
    expect(kept.query("SELECT count(*) AS n FROM events").get()).toEqual({ n: 1 });
    expect(kept.query("PRAGMA user_version").get()).toEqual({ user_version: 2 });
    kept.close();
  });

  test("of an older waybill that was gone back to is copied as it is now", () => {
    using folder = temporaryFolder();
    const path = folder.at("x.sqlite");
    const older = new Connection(path);
    older.run(SQLITE_STEPS[0] ?? "");
    older.run("PRAGMA user_version = 1");
    const copy = `${path}.before-${SQLITE_STEPS.length}`;
    older.run("VACUUM INTO ?1", [copy]);
    older.run(INSERT_EVENT);
    older.close();
    void openSqlite(path, false).close();
    const kept = new Connection(copy, { readonly: true });
    expect(kept.query("SELECT count(*) AS n FROM events").get()).toEqual({ n: 1 });
    kept.close();
    expect(readdirSync(folder.path).filter((name) => name.includes("before"))).toEqual([
      `x.sqlite.before-${SQLITE_STEPS.length}`,
    ]);
  });

  test("of a newer waybill is refused and left alone", async () => {
    await withDatabase(async (_, path) => {
      const connection = new Connection(path);
      connection.run("PRAGMA user_version = 99");
      expect(() => openSqlite(path, true)).toThrow(expect.objectContaining({ code: "data_dir_invalid" }));
      expect(connection.query("PRAGMA user_version").get()).toEqual({ user_version: 99 });
      connection.run("PRAGMA user_version = 1");
      connection.close();
    });
  });

  test("that is no database is refused", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.at("x.sqlite"), "hello ".repeat(1_000));
    expect(() => openSqlite(folder.at("x.sqlite"), true)).toThrow(
      expect.objectContaining({ code: "data_dir_invalid" }),
    );
  });

  test("that is not there is not made unless asked", () => {
    expect(() => openSqlite("/nonexistent/x.sqlite", false)).toThrow(
      expect.objectContaining({ code: "data_dir_invalid" }),
    );
  });
});

describe("the record of events", () => {
  const attacks = [
    "UPDATE events SET actor = 'somebody else'",
    "DELETE FROM events",
    "INSERT OR REPLACE INTO events (seq, at, actor, action, decision, subject) VALUES (1, 't', 'b', 'x', 'allowed', 's')",
    "REPLACE INTO events (seq, at, actor, action, decision, subject) VALUES (1, 't', 'b', 'x', 'allowed', 's')",
    `INSERT INTO events (seq, at, actor, action, decision, subject) VALUES (1, 't', 'b', 'x', 'allowed', 's')
       ON CONFLICT (seq) DO UPDATE SET actor = 'b'`,
  ];
  for (const attack of attacks) {
    test(`only grows: ${attack.slice(0, 40)}`, async () => {
      await withDatabase(async (database) => {
        await database.write((sql) => sql.run(INSERT_EVENT));
        expect(await rejection(database.write((sql) => sql.run(attack)))).toMatchObject({
          message: "events are append-only",
        });
        const rows = await database.read((sql) => sql.rows("SELECT seq, actor FROM events"));
        expect(rows).toEqual([{ seq: 1, actor: "a" }]);
      });
    });
  }
});
