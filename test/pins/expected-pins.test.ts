import { describe, expect, test } from "bun:test";
import { parseExpectedPins } from "../../src/pins/expected-pins.ts";
import { refused } from "./refused.ts";
import { NEW, OLD } from "./rows.ts";

function parse(value: unknown): ReturnType<typeof parseExpectedPins> {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return parseExpectedPins(new TextEncoder().encode(text), "expected.json");
}

test("a name without a region is the global one", () => {
  expect([...parse({ codex: NEW, "codex/eu": OLD })]).toEqual([
    ["codex/global", NEW],
    ["codex/eu", OLD],
  ]);
});

describe("refused", () => {
  const strange = (name: string): string => `"${name}" is no template, and no template/region`;
  const rows: [string, unknown, string][] = [
    ["what is no JSON", "{", "not the JSON we take"],
    ["a list", [], "the document is a list"],
    ["a short digest", { codex: "sha256:abc" }, '["codex"] is "sha256:abc"'],
    ["nothing expected", {}, "it expects nothing"],
    ["a template with a capital", { Codex: NEW }, strange("Codex")],
    ["a region with a capital", { "codex/EU": NEW }, strange("codex/EU")],
    ["no template", { "/eu": NEW }, strange("/eu")],
    ["no region", { "codex/": NEW }, strange("codex/")],
    ["a third part", { "codex/eu/west": NEW }, strange("codex/eu/west")],
    ["one place twice", { codex: NEW, "codex/global": NEW }, "codex/global is there twice"],
  ];
  test.each(rows)("%s", (_what, value, wanted) => {
    const failure = refused(() => parse(value));
    expect(failure.code).toBe("config_invalid");
    expect(failure.message).toContain(wanted);
  });

  test("every fault at once, and no other", () => {
    expect(refused(() => parse({ Codex: NEW, "codex/EU": NEW })).message).toBe(
      `the file "expected.json" is wrong: ${strange("Codex")}; ${strange("codex/EU")}`,
    );
  });
});
