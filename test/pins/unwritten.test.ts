import { expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { superseded, heldBack, overtaken } from "../../src/pins/unwritten.ts";
import { pinRow } from "./pin-row.ts";
import { FOREIGN, NEW, OLD } from "./rows.ts";
import { target, WANTED } from "./run-legs.ts";

const before = pinRow({ digest: OLD });
const facts = { target: target("https://cp.example.com"), wanted: WANTED, before, attempts: [] };

test("held back by what a policy refuses elsewhere", () => {
  expect(heldBack(facts, "staging: frozen")).toMatchObject({
    outcome: "held_back",
    raceWindow: null,
    before,
    failure: { code: "held_back", message: "nothing was written, because a policy refuses staging: frozen" },
  });
});

test("a newer build is a failure only where the caller says so", () => {
  const newer = pinRow({ digest: FOREIGN, seq: 9 });
  for (const rule of [undefined, "ok"] as const)
    expect(superseded(facts, 5, newer, rule)).toMatchObject({ outcome: "superseded", failure: null });
  expect(superseded(facts, 5, newer, "fail").failure).toMatchObject({
    code: "superseded",
    message: "codex is pinned by build 9, newer than this one (5)",
  });
  for (const seq of [9, 10]) expect(() => superseded(facts, seq, newer, "ok")).toThrow(RangeError);
});

test("an overtaken write says what is there now, in the words and with the code of its cause", () => {
  const cause = new Failure("policy_denied", "there is a newer build", { serverText: "older" });
  const moved = overtaken(facts, pinRow({ digest: FOREIGN }), cause);
  expect(moved).toMatchObject({ outcome: "failed", failure: { code: "policy_denied", serverText: "older" } });
  expect(moved.failure?.message).toBe(
    `there is a newer build: codex is pinned to ${FOREIGN} now; wanted ${NEW}`,
  );
  expect(overtaken(facts, null, cause).failure?.message).toContain("codex has no pin now; wanted");
});
