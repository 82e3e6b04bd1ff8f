import { expect, test } from "bun:test";
import { recordChange, recordDenial } from "../../../src/control-plane/events/events.ts";
import { Revision } from "../../../src/control-plane/storage/view-cache.ts";
import { withPlane } from "../plane.ts";

const BY = { actor: "cli", env: "prod", at: "2026-11-21T00:00:00.000000Z", requestId: null };

test("a revision is looked at once for what arrived together, and anew in the next turn", async () => {
  await withPlane(async ({ database }) => {
    let looks = 0;
    const counted = {
      ...database,
      read: <T>(...[act]: Parameters<typeof database.read<T>>): Promise<T> => {
        looks++;
        return database.read(act);
      },
    };
    const revision = new Revision(counted);
    await revision.now();
    await Bun.sleep(0);
    looks = 0;
    await Promise.all([revision.now(), revision.now(), revision.now()]);
    expect(looks).toBe(1);
    await Bun.sleep(0);
    await revision.now();
    expect(looks).toBe(2);
  });
});

test("a revision moves with what may change a token or a list, and with nothing else", async () => {
  await withPlane(async ({ database }) => {
    const revision = new Revision(database);
    const change = (action: string): Promise<number> =>
      database.write(async (sql) =>
        recordChange(sql, BY, { action, subject: "x", before: null, after: null }),
      );
    const now = async (): Promise<number> => {
      await Bun.sleep(0);
      return revision.now();
    };
    for (const action of [
      "token.revoke",
      "assignment.put",
      "host.label",
      "package.publish",
      "never.heard.of",
    ]) {
      const seq = await change(action);
      expect([action, await now()]).toEqual([action, seq]);
      for (const beside of ["host.report", "pin.promote", "build.record"]) await change(beside);
      await recordDenial(database, BY, { action, subject: "x", reason: "no" });
      expect(await now()).toBe(seq);
    }
    await change("pin.promote");
    // What happened between two looks counts, whatever came last.
    const seq = await change("token.new");
    await change("host.report");
    expect(await now()).toBe(seq + 1);
  });
});
