import { expect, test } from "bun:test";
import { distrust } from "../../../src/trust/trusted-key.ts";
import { signersIn } from "../../../src/trust/trust-root-signers.ts";
import { aRoot, trusted } from "../roots.ts";

// A signature cannot prove when it was made, so the verifier's own clock decides.
const from = new Date("2026-01-01T00:00:00Z");
const until = new Date("2026-06-30T00:00:00Z");
const key = trusted("ci", { validFrom: from, validUntil: until });
const root = aRoot([key]);
const subject = { name: "app", sha256: null };

const table: readonly (readonly [string, string | null])[] = [
  ["2025-12-31T23:59:59.999Z", "key_not_yet_valid"],
  ["2026-01-01T00:00:00.000Z", null],
  ["2026-06-30T00:00:00.000Z", null],
  ["2026-06-30T00:00:00.001Z", "key_expired"],
  ["2036-01-01T00:00:00.000Z", "key_expired"],
];
test.each(table)("at %s", (now, code) => {
  const refusal = distrust(key, "build", subject, new Date(now));
  expect<string | null>(refusal?.code ?? null).toBe(code);
  expect(signersIn(root, "build", subject, new Date(now)).keys).toHaveLength(code === null ? 1 : 0);
});
