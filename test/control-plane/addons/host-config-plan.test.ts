import { expect, test } from "bun:test";
import { assignmentsFor } from "../../../src/control-plane/addons/assignments.ts";
import { assignedPackages } from "../../../src/control-plane/addons/packages.ts";
import { openDataDirectory } from "../../../src/control-plane/storage/data-directory.ts";
import type { Database, SqlValue } from "../../../src/control-plane/storage/database.ts";
import { openDatabase } from "../../../src/control-plane/storage/open-database.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** After a change every host asks anew: ten thousand of them must not each look through what is for the others. */
test("what is for a host is found without looking through the assignments of all", async () => {
  using folder = temporaryFolder();
  const database = await openDatabase(openDataDirectory(folder.path, true).database, true);
  try {
    const plans: string[] = [];
    const explained: Database = {
      ...database,
      read: (act) =>
        database.read((sql) =>
          act({
            ...sql,
            rows: async (text: string, ...values: SqlValue[]) => {
              const plan = await sql.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, ...values);
              plans.push(...plan.map(({ detail }) => detail));
              return [];
            },
          }),
        ),
    };
    await assignmentsFor(explained, "default", "web-1");
    await assignedPackages(explained, "default", "web-1");
    expect(plans.filter((one) => one.includes("assignments")).length).toBeGreaterThanOrEqual(6);
    // A search of an index, by the environment and more; the labels are an index of their own, with nothing else in it.
    const wide = plans.filter(
      (one) =>
        !/\((?:env=\? AND host=\?|env=\? AND addon_id=\?.*)\)/u.test(one) && !one.includes("by_labels"),
    );
    expect(wide.filter((one) => /assignments|SCAN (?:packages|package_artifacts)/u.test(one))).toEqual([]);
  } finally {
    await database.close();
  }
});
