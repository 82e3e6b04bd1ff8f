import { Database as Connection } from "bun:sqlite";
import { SQL } from "bun";
import { describe, expect, test } from "bun:test";
import { asFailure } from "../../../src/base/failure.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { openDatabase } from "../../../src/control-plane/storage/open-database.ts";
import { POSTGRES_STEPS } from "../../../src/control-plane/storage/postgres-migrations.ts";
import { readPostgresAddress } from "../../../src/control-plane/storage/postgres-address.ts";
import { findPin } from "../../../src/control-plane/pins/pin-rows.ts";
import { writePin } from "../../../src/control-plane/pins/pins.ts";
import { emptyDatabase } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { addArtifact, countArtifacts } from "./artifact-rows.ts";
import { imageDigestOf, rejection } from "../plane.ts";

const AT = "2026-11-21T12:00:00.000000Z";
const BY = { actor: "test", env: "prod", at: AT, requestId: null };

function open(url: string): Promise<Database> {
  return openDatabase(readPostgresAddress(url, "the test"), true);
}

async function withDatabase(work: (database: Database, url: string) => Promise<void>): Promise<void> {
  await using empty = await emptyDatabase();
  const database = await open(empty.url);
  try {
    await work(database, empty.url);
  } finally {
    await database.close();
  }
}

/** What somebody with the rights of the server does behind its back. */
async function behind(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const sql = new SQL({ url, max: 1 });
  try {
    const found: unknown[] = [];
    for (const statement of statements) found.push(await sql.unsafe(statement));
    return found;
  } finally {
    await sql.close();
  }
}

function promote(database: Database, text: string, ifMatch: string | null): Promise<{ version: number }> {
  const promotion = { template_name: "codex", region: "global", image_digest: imageDigestOf(text) };
  const condition = ifMatch === null ? { kind: "absent" as const } : { kind: "version" as const, ifMatch };
  return database.write((sql) => writePin(sql, "prod", promotion, condition, BY, null));
}

describe("a PostgreSQL database", () => {
  test("has the tables and columns of the SQLite one", async () => {
    using folder = temporaryFolder();
    const file = folder.at("x.sqlite");
    await (await openDatabase(file, true)).close();
    const connection = new Connection(file, { readonly: true });
    const sqlite = connection
      .query<{ name: string }, []>(
        `SELECT t.name || '.' || c.name || CASE WHEN c."notnull" THEN '' ELSE ' or null' END AS name
         FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`,
      )
      .all()
      .map(({ name }) => name);
    connection.close();
    await withDatabase(async (database) => {
      const postgres = await database.read((sql) =>
        sql.rows<{ name: string }>(
          `SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN '' ELSE ' or null' END AS name
           FROM information_schema.columns
           WHERE table_schema = current_schema() AND table_name <> 'schema_version'`,
        ),
      );
      // A primary key of SQLite does not say NOT NULL of its column.
      const plain = (name: string): string =>
        name.replace(/^(\w+\.id|(?:builds|events)\.seq|artifacts\.sha256) or null$/u, "$1");
      expect(postgres.map(({ name }) => name).sort()).toEqual(sqlite.map(plain).sort());
    });
  });

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
      expect(await countArtifacts(database)).toBe(2);
    });
  });

  test("two hundred writes at once are a handful of transactions", async () => {
    await withDatabase(async (database, url) => {
      const names = Array.from({ length: 200 }, (_, at) => at.toString(16).padStart(64, "0"));
      await Promise.all(names.map((name) => addArtifact(database, name)));
      // A commit and all its savepoints have one time.
      const [found] = await behind(
        url,
        "SELECT count(DISTINCT pg_xact_commit_timestamp(xmin))::int AS n FROM artifacts",
      );
      expect((found as { n: number }[])[0]?.n).toBeLessThan(10);
      expect(await countArtifacts(database)).toBe(200);
    });
  });

  test("two servers that change one pin as they read it: one of each pair wins, and nothing is lost", async () => {
    await withDatabase(async (first, url) => {
      const second = await open(url);
      try {
        let etag = (await promote(first, "start", null)).version;
        for (let round = 0; round < 20; round++) {
          const settled = await Promise.allSettled(
            [first, second, first, second].map((one, at) => promote(one, `${round} ${at}`, `"${etag}"`)),
          );
          const won = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
          const lost = settled.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
          expect(won).toHaveLength(1);
          expect(lost).toEqual(["stale_version", "stale_version", "stale_version"]);
          etag = won[0]?.version ?? 0;
          for (const one of [first, second]) {
            expect((await one.read((sql) => findPin(sql, "prod", "codex", "global")))?.version).toBe(etag);
          }
        }
        const events = await first.read((sql) =>
          sql.rows("SELECT seq FROM events WHERE action = 'pin.promote'"),
        );
        expect(events).toHaveLength(21);
      } finally {
        await second.close();
      }
    });
  });

  test("two servers that open an empty database at once both get it", async () => {
    await using empty = await emptyDatabase();
    const opened = await Promise.all(Array.from({ length: 4 }, () => open(empty.url)));
    await Promise.all(opened.map((one, at) => addArtifact(one, String(at))));
    expect(await Promise.all(opened.map(countArtifacts))).toEqual([4, 4, 4, 4]);
    await Promise.all(opened.map((one) => one.close()));
  });

  test("whose connections were cut is written to again", async () => {
    await withDatabase(async (database, url) => {
      await addArtifact(database, "a");
      const cut =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
      await behind(url, cut);
      await addArtifact(database, "b");
      await behind(url, cut);
      expect(await countArtifacts(database)).toBe(2);
    });
  });

  test("that became read-only takes no write, and says so", async () => {
    await withDatabase(async (database, url) => {
      const [row] = await behind(url, "SELECT current_database() AS name");
      const { name } = (row as { name: string }[])[0] ?? { name: "" };
      await behind(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      try {
        const standby = await open(url).catch((error: unknown) => error);
        expect(standby).toMatchObject({ code: "storage_failed" });
      } finally {
        await behind(url, "SET default_transaction_read_only = off", `ALTER DATABASE ${name} RESET ALL`);
      }
      await addArtifact(database, "a");
    });
  });

  test("of an older waybill is copied, then brought up to date", async () => {
    await using empty = await emptyDatabase();
    const { url } = empty;
    await behind(
      url,
      POSTGRES_STEPS[0] ?? "",
      "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (1)",
      "INSERT INTO events (at, actor, action, decision, subject) VALUES ('t', 'a', 'x', 'allowed', 's')",
    );
    const newer = await open(url);
    await promote(newer, "next", null);
    const chained = "SELECT seq, sha256 IS NOT NULL AS chained FROM events ORDER BY seq";
    expect(await newer.read((sql) => sql.rows(chained))).toEqual([
      { seq: 1, chained: false },
      { seq: 2, chained: true },
    ]);
    await newer.close();
    const copies = `before_${POSTGRES_STEPS.length}`;
    const [copied] = await behind(url, `SELECT count(*)::int AS n FROM ${copies}.events`);
    expect((copied as { n: number }[])[0]).toEqual({ n: 1 });
    await behind(url, `DROP SCHEMA ${copies} CASCADE`);
  });

  test("of an older waybill is left alone when the name of the copy is taken, and copied with what others keep there", async () => {
    await using empty = await emptyDatabase();
    const { url } = empty;
    const copies = `before_${POSTGRES_STEPS.length}`;
    await behind(
      url,
      POSTGRES_STEPS[0] ?? "",
      "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (1)",
      `CREATE TABLE "Some One's" AS SELECT 7 AS n; CREATE SCHEMA ${copies}`,
    );
    try {
      const refused = await rejection(open(url));
      expect(refused).toMatchObject({
        code: "data_dir_invalid",
        message: expect.stringContaining(copies),
      });
      const [left] = await behind(url, "SELECT version::int FROM schema_version");
      expect((left as object[])[0]).toEqual({ version: 1 });
      await behind(url, `DROP SCHEMA ${copies}`);
      await (await open(url)).close();
      const [copied] = await behind(url, `SELECT n FROM ${copies}."Some One's"`);
      expect((copied as object[])[0]).toEqual({ n: 7 });
    } finally {
      await behind(url, `DROP SCHEMA ${copies} CASCADE`);
    }
  });

  test("of a newer waybill is refused and left alone", async () => {
    await withDatabase(async (_, url) => {
      await behind(url, "UPDATE schema_version SET version = 99");
      expect(await rejection(open(url))).toMatchObject({ code: "data_dir_invalid" });
    });
  });

  for (const attack of ["UPDATE events SET actor = 'b'", "DELETE FROM events", "TRUNCATE events"]) {
    test(`has events that only grow: ${attack}`, async () => {
      await withDatabase(async (database, url) => {
        await promote(database, "start", null);
        expect(await rejection(behind(url, attack))).toMatchObject({ message: "events are append-only" });
        expect(await database.read((sql) => sql.rows("SELECT actor FROM events"))).toEqual([
          { actor: "test" },
        ]);
      });
    });
  }

  test("keeps whole numbers up to 2^53 as they are", async () => {
    await withDatabase(async (database) => {
      const seq = Number.MAX_SAFE_INTEGER;
      const promotion = { template_name: "codex", region: "global", image_digest: imageDigestOf("x"), seq };
      await database.write((sql) => writePin(sql, "prod", promotion, { kind: "none" }, BY, null));
      const found = await database.read((sql) => findPin(sql, "prod", "codex", "global"));
      expect(found?.pin.seq).toBe(seq);
    });
  });
});

describe("the address of a database", () => {
  const taken: readonly (readonly [string, string, string])[] = [
    ["postgres://w@localhost/cp", "postgres://w@localhost/cp", "postgres cp on localhost"],
    [
      "postgresql://w:secret@127.0.0.1:5433/cp",
      "postgresql://w:secret@127.0.0.1:5433/cp",
      "postgres cp on 127.0.0.1:5433",
    ],
    [
      "postgres://w:s@db.example/cp",
      "postgres://w:s@db.example/cp?sslmode=verify-full",
      "postgres cp on db.example",
    ],
    [
      "postgres://w@db.example/cp?sslmode=disable",
      "postgres://w@db.example/cp?sslmode=disable",
      "postgres cp on db.example",
    ],
    [
      "postgres://w@localhost/cp?host=/run/postgresql",
      "postgres://w@localhost/cp?host=/run/postgresql",
      "postgres cp on /run/postgresql",
    ],
  ];
  for (const [text, url, shown] of taken) {
    test(text, () => expect(readPostgresAddress(text, "x")).toEqual({ url, shown }));
  }
  const refused = [
    "",
    "cp",
    "mysql://w:secret@localhost/cp",
    "postgres://localhost/cp",
    "postgres://w:secret@localhost/",
    "postgres://w:secret@localhost/a/b",
    "postgres://w:secret@localhost/cp?sslmode=maybe",
    "postgres://w:secret@localhost/cp?options=-cfsync%3Doff",
    "postgres://w:secret@localhost/cp?host=relative",
    "postgres://w:secret@localhost/cp#x",
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text)} is refused, and not shown`, async () => {
      const failed = await rejection((async () => readPostgresAddress(text, "--database-env"))());
      const told = asFailure(failed).toDocument();
      expect(told.code).toBe("invalid_value");
      expect(JSON.stringify(told)).not.toContain("secret");
    });
  }
});
