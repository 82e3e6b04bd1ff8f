import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import {
  ChainCheck,
  type ChainedEvent,
  type EventHead,
} from "../../../src/control-plane/events/event-chain.ts";
import { recordChange } from "../../../src/control-plane/events/events.ts";
import type { Database, Sql } from "../../../src/control-plane/storage/database.ts";
import { SQL } from "bun";
import { Database as Connection } from "bun:sqlite";
import { join } from "node:path";
import { CAN_MOUNT } from "../../context/support/scratch.ts";
import { jsonOf, runWaybill, type Finished } from "../../support/binary.ts";
import { startControlPlane } from "../../support/control-plane.ts";
import { emptyDatabase } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { bodyOf, withPlane, type Plane } from "../plane.ts";
import { promote, withServer } from "../served.ts";

type Page = { events: ChainedEvent[]; head: EventHead };

/** A plane with changes and denials in two environments, and its record as it is served. */
async function recorded(plane: Plane): Promise<Page> {
  const auditor = await plane.token(["audit:read"]);
  const token = await plane.token(["pins:read", "pins:write"], "prod");
  for (const name of ["a", "b", "c"]) {
    const json = { template_name: name, image_digest: `sha256:${name.repeat(64)}`, notes: 'ünï\u2028"\\' };
    await plane.call("POST", "/cp/admin/runtime-image/promote", { token, json });
  }
  await plane.call("PUT", "/v1/freeze", { token, json: { reason: "x" } });
  return bodyOf(await plane.call("GET", "/v1/events", { token: auditor }));
}

function check({ events, head }: Page, noted: EventHead | null = null): ReturnType<ChainCheck["report"]> {
  const chain = new ChainCheck(noted);
  for (const event of events) chain.add(event);
  return chain.report(head);
}

describe("the record of events", () => {
  test("holds every change and every denial, of all environments, and its chain holds", async () => {
    await withPlane(async (plane) => {
      const page = await recorded(plane);
      expect(page.events.map(({ action, decision, env }) => [action, decision, env])).toEqual([
        ["token.new", "allowed", "default"],
        ["token.new", "allowed", "prod"],
        ["pin.promote", "allowed", "prod"],
        ["pin.promote", "allowed", "prod"],
        ["pin.promote", "allowed", "prod"],
        ["pin.frozen", "denied", "prod"],
      ]);
      expect(check(page)).toEqual({ checked: 6, unchained: 0, head: page.head, problem: null });
    });
  });

  test("is read in pages", async () => {
    await withPlane(async (plane) => {
      const { events } = await recorded(plane);
      const token = await plane.token(["audit:read"]);
      const page = await bodyOf<Page>(await plane.call("GET", "/v1/events?after=2&limit=3", { token }));
      expect(page.events).toEqual(events.slice(2, 5));
      expect(page.head.seq).toBe(7);
    });
  });

  test("is read no further than a page of large events holds", async () => {
    let read = 0;
    const wrap = (real: Database): Database => ({
      ...real,
      read: (act) =>
        real.read((sql) =>
          act({
            ...sql,
            rows: async <Row>(...asked: Parameters<Sql["rows"]>) => {
              const rows = await sql.rows<Row>(...asked);
              read += JSON.stringify(rows).length;
              return rows;
            },
          }),
        ),
    });
    await withPlane(async (plane) => {
      const by = { actor: "test", env: "prod", at: "2026-11-21T12:00:00Z", requestId: null };
      const after = "x".repeat(1_000_000);
      for (let at = 0; at < 12; at++) {
        await plane.database.write(async (sql) => {
          recordChange(sql, by, { action: "host.report", subject: "h", before: null, after });
        });
      }
      const token = await plane.token(["audit:read"]);
      read = 0;
      let seq = 0;
      for (const count of [4, 4, 5]) {
        const { events } = await bodyOf<Page>(await plane.call("GET", `/v1/events?after=${seq}`, { token }));
        expect(events).toHaveLength(count);
        seq = events.at(-1)?.seq ?? 0;
      }
      expect(read).toBeLessThan(13_000_000);
    }, wrap);
  });

  test("is not for an administrator of one environment", async () => {
    await withPlane(async (plane) => {
      const token = await plane.token(["admin"]);
      expect((await plane.call("GET", "/v1/events", { token })).status).toBe(403);
    });
  });

  const attacks: readonly (readonly [string, (page: Page) => Page, string])[] = [
    [
      "an event taken out",
      ({ events, head }) => ({ events: events.toSpliced(2, 1), head }),
      "some are missing",
    ],
    [
      "the first one taken out",
      ({ events, head }) => ({ events: events.slice(1), head }),
      "is not what was recorded",
    ],
    [
      "the last one taken out",
      ({ events, head }) => ({ events: events.slice(0, -1), head }),
      "the server's last one was 6",
    ],
    [
      "the last one taken out, and the head moved back",
      ({ events }) => ({ events: events.slice(0, -1), head: { seq: 5, sha256: events[4]?.sha256 ?? "" } }),
      "noted earlier",
    ],
    [
      "two in another order",
      ({ events, head }) => ({ events: events.with(2, events[3]!).with(3, events[2]!), head }),
      "some are missing",
    ],
    ["two that changed places with their numbers", swapped, "is not what was recorded"],
    [
      "one twice",
      ({ events, head }) => ({ events: events.toSpliced(2, 0, events[2]!), head }),
      "comes after",
    ],
    ["one whose digest is gone", (page) => changed(page, 3, { sha256: null }), "has no digest"],
    [
      "the first whose digest is gone",
      (page) => changed(page, 0, { sha256: null }),
      "is not what was recorded",
    ],
  ];
  const fields: readonly Partial<ChainedEvent>[] = [
    { at: "2020-01-01T00:00:00.000000Z" },
    { env: null },
    { actor: "api-token-00000000" },
    { action: "pin.rollback" },
    { decision: "denied" },
    { subject: "d/global" },
    { reason: "" },
    { before_json: "{}" },
    { after_json: null },
    { request_id: null },
  ];
  for (const [name, attack, problem] of [
    ...attacks,
    ...fields.map((field) => {
      const attack = (page: Page): Page => changed(page, 3, field);
      return [`another ${Object.keys(field)[0]}`, attack, "event 4 is not what was recorded"] as const;
    }),
  ]) {
    test(`${name} is seen`, async () => {
      for (const page of await served()) {
        expect(check(page, page.head).problem).toBeNull();
        expect(check(attack(page), page.head).problem).toContain(problem);
      }
    });
  }

  /** The record as either database serves it, made once: what is attacked are copies. */
  let pages: Promise<readonly Page[]> | undefined;
  function served(): Promise<readonly Page[]> {
    pages ??= (async () => {
      const all: Page[] = [];
      await withPlane(async (plane) => void all.push(await recorded(plane)));
      return all;
    })();
    return pages;
  }

  function changed({ events, head }: Page, at: number, field: Partial<ChainedEvent>): Page {
    return { events: events.map((event, index) => (index === at ? { ...event, ...field } : event)), head };
  }

  function swapped({ events, head }: Page): Page {
    const [third, fourth] = [events[2]!, events[3]!];
    return { events: events.with(2, { ...fourth, seq: 3 }).with(3, { ...third, seq: 4 }), head };
  }
});

describe("verify audit --chain", () => {
  for (const engine of ["SQLite", "PostgreSQL"]) {
    test(`proves the record of a server on ${engine}, exports it, and sees what was done behind its back`, async () => {
      using folder = temporaryFolder();
      await using empty = engine === "SQLite" ? null : await emptyDatabase();
      const data = folder.at("data");
      const server = await startControlPlane({ data, database: empty?.url });
      try {
        const token = await server.token(["pins:write"]);
        const auditor = await server.token(["audit:read"]);
        for (const name of ["a", "b", "c"]) await promote(server, token, name);
        const audit = (...flags: string[]): Promise<Finished> =>
          runWaybill(["verify", "audit", ...flags, "--json"], {
            cwd: folder.path,
            env: { WAYBILL_TOKEN_PROD: auditor },
          });
        const chain = ["--chain", "--target", `prod=${server.address}`, "--allow-insecure-http"];
        const first = await audit(...chain, "--export", "events.jsonl");
        const [report] = jsonOf(first)["chains"] as { head: EventHead }[];
        expect(jsonOf(first)).toMatchObject({
          ok: true,
          exit_code: 0,
          checked: 5,
          chains: [{ name: "prod", problem: null }],
        });
        expect(jsonOf(await audit("--events", "events.jsonl"))).toMatchObject({ ok: true, checked: 5 });
        await promote(server, token, "d");
        const noted = `${report?.head.seq}:${report?.head.sha256}`;
        expect(jsonOf(await audit(...chain, "--expect-head", noted))).toMatchObject({ ok: true, checked: 6 });
        expect(jsonOf(await audit(...chain, "--expect-head", `5:${"0".repeat(64)}`))).toMatchObject({
          exit_code: 6,
        });
        await tamper(empty?.url ?? join(data, "control-plane.sqlite"));
        const broken = await audit(...chain, "--export", "broken.jsonl");
        expect(jsonOf(broken)).toMatchObject({ ok: false, exit_code: 6 });
        expect(broken.stderr).toContain("the record of prod is not whole: event 4 is not what was recorded");
        expect(jsonOf(await audit("--events", "broken.jsonl"))).toMatchObject({ exit_code: 6 });
      } finally {
        await server.stop("SIGKILL");
      }
    });
  }

  /** Somebody with the rights of the database itself makes a promotion somebody else's. */
  async function tamper(place: string): Promise<void> {
    const change = "UPDATE events SET actor = 'api-token-00000000' WHERE seq = 4";
    if (place.startsWith("postgres:")) {
      const sql = new SQL({ url: place, max: 1 });
      await sql.unsafe(`ALTER TABLE events DISABLE TRIGGER ALL; ${change}`);
      await sql.close();
      return;
    }
    const connection = new Connection(place);
    connection.run("DROP TRIGGER events_keep_contents");
    connection.run(change);
    connection.close();
  }

  test.skipIf(!CAN_MOUNT)(
    "a record that the disk of --export has no room for is told by the file",
    async () => {
      using folder = temporaryFolder();
      const disk = folder.at("disk");
      mkdirSync(disk);
      const mount = ["mount", "-t", "tmpfs", "-o", "mode=0700,size=4k", "none", disk];
      expect(Bun.spawnSync(mount).exitCode).toBe(0);
      try {
        await withServer(async (server) => {
          const [token, auditor] = [await server.token(["pins:write"]), await server.token(["audit:read"])];
          for (let at = 0; at < 10; at++) await promote(server, token, `t-${at}`);
          const target = ["--target", `prod=${server.address}`, "--allow-insecure-http"];
          const ran = await runWaybill(
            ["verify", "audit", "--chain", ...target, "--export", "disk/events", "--json"],
            { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: auditor } },
          );
          const said = `error: prod: --export: "${disk}/events" cannot be written: no space left on the device\n`;
          expect([ran.code, ran.stderr]).toEqual([1, said]);
          expect(readdirSync(disk)).toEqual([]);
        });
      } finally {
        Bun.spawnSync(["umount", "-l", disk]);
      }
    },
  );

  test("an empty record proves nothing", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("empty"), "");
    const ran = await runWaybill(["verify", "audit", "--events", "empty", "--json"], { cwd: folder.path });
    expect(jsonOf(ran)).toMatchObject({ ok: false, exit_code: 7, checked: 0 });
  });

  const usage: readonly (readonly [string, readonly string[], number, string])[] = [
    ["both sources", ["--chain", "--events", "x"], 2, "flags_contradict"],
    ["a head and no record", ["--expect-head", `1:${"0".repeat(64)}`], 2, "flag_missing"],
    ["a head that is none", ["--events", "empty", "--expect-head", "1:abc"], 2, "invalid_value"],
    ["a cut record", ["--events", "cut"], 6, "audit_broken"],
    ["a record that is none", ["--events", "junk"], 6, "audit_broken"],
  ];
  for (const [name, flags, code, failure] of usage) {
    test(`${name} is ${failure}`, async () => {
      using folder = temporaryFolder();
      writeFileSync(folder.at("empty"), "");
      writeFileSync(folder.at("cut"), "{}");
      writeFileSync(folder.at("junk"), "{}\n");
      const ran = await runWaybill(["verify", "audit", ...flags, "--json"], { cwd: folder.path });
      expect([ran.code, jsonOf(ran)]).toMatchObject([code, { error: { code: failure } }]);
    });
  }
});
