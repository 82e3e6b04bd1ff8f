import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { idempotencyKey } from "../../src/pins/idempotency.ts";
import { pinRow } from "./pin-row.ts";
import { NEW, OLD } from "./rows.ts";
import { WANTED } from "./run-legs.ts";

const RUN = "https://ci.example/runs/1";

test("the name of a change is the same in every version of waybill", () => {
  const named = (digest: string | null): string =>
    createHash("sha256")
      .update(JSON.stringify(["waybill", RUN, "prod", "codex", "global", NEW, digest]))
      .digest("hex");
  expect(idempotencyKey(RUN, "prod", WANTED, pinRow({ digest: OLD }))).toBe(named(OLD));
  expect(idempotencyKey(RUN, "prod", WANTED, null)).toBe(named(null));
});
