import { expect, test } from "bun:test";
import { succeed } from "../../../src/trust/trust-root-succession.ts";
import { refusalOf } from "../refusal.ts";
import { aRoot, envelopeOf, signedRoot, trusted } from "../roots.ts";

// A key that leaves must not choose its successor alone, and a new one must not let itself in.
const now = new Date("2026-11-21T00:00:00Z");
const held = signedRoot(aRoot([]), ["root"]);
const bob = trusted("bob", { roles: ["root"] });
const replaced = { version: 2, keys: [bob], thresholds: {} };

const table: readonly (readonly [string, readonly string[], string | null])[] = [
  ["the removed key only", ["root"], "threshold_not_met"],
  ["the new key only", ["bob"], "threshold_not_met"],
  ["nobody", [], "threshold_not_met"],
  ["a stranger", ["mallory"], "threshold_not_met"],
  ["both", ["root", "bob"], null],
];
test.each(table)("a root that replaces the root key, signed by %s", (_name, signers, code) => {
  const envelope = envelopeOf(replaced, signers);
  if (code === null) {
    expect(succeed(held, envelope, "the new root", now)?.root).toMatchObject({ version: 2 });
    return;
  }
  expect(refusalOf(() => succeed(held, envelope, "the new root", now)).code as string).toBe(code);
});

test("a key without the role root signs no root, nor does one that ended", () => {
  const ended = trusted("root", { roles: ["root"], validUntil: new Date("2026-01-01T00:00:00Z") });
  const old = signedRoot({ version: 1, keys: [ended, trusted("ci")], thresholds: {} }, ["root"]);
  const next = { ...old.root, version: 2 };
  for (const signers of [["root"], ["ci"], ["root", "ci"]])
    expect(refusalOf(() => succeed(old, envelopeOf(next, signers), "it", now)).code).toBe(
      "threshold_not_met",
    );
});

test("a new root whose own root keys have ended is refused, though the held one's have not", () => {
  const ended = trusted("root", { roles: ["root"], validUntil: new Date("2026-01-01T00:00:00Z") });
  const next = { version: 2, keys: [ended], thresholds: {} };
  const refusal = refusalOf(() => succeed(held, envelopeOf(next, ["root"]), "it", now));
  expect([refusal.code as string, refusal.message]).toEqual([
    "threshold_not_met",
    expect.stringContaining("the new root"),
  ]);
});
