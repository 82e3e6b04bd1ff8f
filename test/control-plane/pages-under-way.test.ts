import { expect, test } from "bun:test";
import { listAssignments } from "../../src/control-plane/addons/assignments.ts";
import { listPackages } from "../../src/control-plane/addons/packages.ts";
import { listHosts } from "../../src/control-plane/hosts/hosts.ts";
import { hostFacts } from "../../src/control-plane/page/host-facts.ts";
import type { Database } from "../../src/control-plane/storage/database.ts";
import { ask } from "./ask.ts";
import { withPlane, type Plane } from "./plane.ts";

/** A page is two statements: how much there is, then what. Others write in between. */
type List = {
  readonly what: string;
  readonly add: (plane: Plane, name: string) => Promise<void>;
  /** The names of one page of two, and behind which the next one begins. */
  readonly page: (database: Database, after: string | null) => Promise<readonly [string[], string | null]>;
};

async function report(plane: Plane, host: string): Promise<void> {
  const token = await plane.token(["hosts:report"]);
  const json = { platform: "linux/amd64", addons: [] };
  expect((await ask(plane, "PUT", `/v1/hosts/${host}/status`, { token, json })).status).toBe(200);
}

async function publish(plane: Plane, addon_id: string): Promise<void> {
  const token = await plane.token(["addons:write"]);
  const json = { addon_id, version: "1", binary: "program" };
  expect((await ask(plane, "POST", "/v1/addons/packages", { token, json })).status).toBe(200);
}

const LISTS: readonly List[] = [
  {
    what: "hosts",
    add: report,
    page: async (database, after) => {
      const { hosts, next } = await listHosts(database, "default", null, after ?? "", 2);
      return [hosts.map(({ host }) => host), next];
    },
  },
  {
    what: "hosts of the pages",
    add: report,
    page: async (database, after) => {
      const from = { host: after ?? "", env: "default" };
      const { hosts, next } = await database.read((sql) => hostFacts(sql, ["default"], null, from, 2));
      return [hosts.map(({ host }) => host), next?.host ?? null];
    },
  },
  {
    what: "packages",
    add: publish,
    page: async (database, after) => {
      const from = after === null ? null : { addon_id: after, version: "1" };
      const { packages, next } = await listPackages(database, "default", {
        filters: {},
        after: from,
        limit: 2,
      });
      return [packages.map(({ addon_id }) => addon_id), next?.addon_id ?? null];
    },
  },
  {
    what: "assignments",
    add: async (plane, host) => {
      await publish(plane, "dns");
      const token = await plane.token(["addons:write"]);
      const json = { version: "1", host };
      expect((await ask(plane, "PUT", "/v1/addons/assignments/dns", { token, json })).status).toBe(200);
    },
    page: async (database, after) => {
      const { assignments, next } = await listAssignments(
        database,
        "default",
        "dns",
        { after, limit: 2 },
        null,
      );
      return [assignments.map(({ host }) => host ?? ""), next];
    },
  },
];

test.each(LISTS)("pages of $what miss nothing that was there, whatever is added meanwhile", async (list) => {
  await withPlane(async (plane) => {
    for (const name of ["a", "c", "e", "g"]) await list.add(plane, name);
    let looks = 0;
    const interrupted: Database = {
      ...plane.database,
      read: (act) =>
        plane.database.read((sql) =>
          act({
            ...sql,
            rows: async (text, ...values) => {
              const rows = await sql.rows(text, ...values);
              looks++;
              if (looks === 1) await list.add(plane, "b");
              // The type of the rows is that of the statement, which is passed on.
              return rows as never; // oxlint-disable-line typescript/no-unsafe-type-assertion
            },
          }),
        ),
    };
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const [names, next] = await list.page(interrupted, after);
      seen.push(...names);
      after = next;
    } while (after !== null);
    expect(looks).toBeGreaterThan(1);
    expect(seen.filter((name) => name !== "b")).toEqual(["a", "c", "e", "g"]);
  });
});
