import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

// The comment says which file and when: an old signature shall not get the comment of a new one, or an invented one.
test("a trusted comment of another signature by the same key", async () => {
  const one = (await signed(victim, "one", "minisign")).split("\n");
  const two = (await signed(victim, "two", "minisign")).split("\n");
  const swapped = [one[0], one[1], two[2], two[3], ""].join("\n");
  expect(codesOf(await judged("one", swapped))).toEqual(["trusted_comment_invalid"]);
});

test.each([
  ["a letter changed", (comment: string) => comment.replace("app", "apq")],
  ["a letter more", (comment: string) => `${comment}!`],
  ["a space more", (comment: string) => `${comment} `],
  ["nothing", () => ""],
] as const)("%s", async (_name, change) => {
  const lines = (await signed(victim, "one", "minisign")).split("\n");
  const comment = (lines[2] ?? "").slice("trusted comment: ".length);
  const changed = [lines[0], lines[1], `trusted comment: ${change(comment)}`, lines[3], ""].join("\n");
  const verdict = await judged("one", changed);
  expect([verdict.accepted, codesOf(verdict)]).toEqual([[], ["trusted_comment_invalid"]]);
});

test("the untrusted comment is anybody's, and is never shown", async () => {
  const lines = (await signed(victim, "one", "minisign")).split("\n");
  const changed = ["untrusted comment: ##[error]signed by the pope", ...lines.slice(1)].join("\n");
  const verdict = await judged("one", changed);
  expect(codesOf(verdict)).toEqual([]);
  expect(JSON.stringify(verdict)).not.toContain("pope");
});
