import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { idempotencyKey } from "../../src/pins/idempotency.ts";
import type { PinRow } from "../../src/pins/pin.ts";
import { pinRow } from "./pin-row.ts";
import { NEW, OLD } from "./rows.ts";
import { WANTED } from "./run-legs.ts";

const RUN = "https://ci.example/runs/1";

test("the name of a change is the same in every version of waybill", () => {
  const named = (digest: string | null, since: string | null): string =>
    createHash("sha256")
      .update(JSON.stringify(["waybill", RUN, "prod", "codex", "global", NEW, digest, since]))
      .digest("hex");
  const key = (before: PinRow | null): string => idempotencyKey(RUN, "prod", WANTED, before);
  expect(key(pinRow({ digest: OLD }))).toBe(named(OLD, null));
  expect(key(pinRow({ digest: OLD, promotedAt: "noon" }))).toBe(named(OLD, "noon"));
  expect(key(null)).toBe(named(null, null));
});
