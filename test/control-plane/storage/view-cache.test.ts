import { expect, test } from "bun:test";
import { recordDenial } from "../../../src/control-plane/events/events.ts";
import { Revision } from "../../../src/control-plane/storage/view-cache.ts";
import { withPlane } from "../plane.ts";

const STRANGER = { actor: "anonymous", env: null, at: "2026-11-21T00:00:00.000000Z", requestId: null };
const DENIED = { action: "pin.promote", subject: "x", reason: "token unknown" };

test("a revision is looked at once for what arrived together, and anew after every change", async () => {
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
    const [first] = await Promise.all([revision.now(), revision.now(), revision.now()]);
    expect(looks).toBe(1);
    await recordDenial(database, STRANGER, DENIED);
    expect(await revision.now()).toBe(first + 1);
    expect(looks).toBe(2);
  });
});
