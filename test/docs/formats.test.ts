import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FORMATS } from "../../src/cli/schemas/formats.ts";
import { parseTargetConfig } from "../../src/pins/target-config.ts";
import { schemaProblem } from "../support/schemas.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/formats.md"), "utf8");

const examples = PAGE.split(/^## /mu)
  .slice(1)
  .flatMap((section) =>
    [...section.matchAll(/^```json\n(.*?)^```$/gmsu)].map(([, text = ""]): [string, string] => [
      section.split("\n")[0] ?? "",
      text,
    ]),
  );

describe("docs/formats.md", () => {
  test("has an example of every format", () => {
    expect(examples.map(([name]) => name).toSorted()).toEqual(Object.keys(FORMATS).toSorted());
  });

  test.each(examples)("the example of %s is one", (name, text) => {
    expect(schemaProblem(name, JSON.parse(text))).toBeNull();
  });

  test("the example of targets is read", () => {
    const text = examples.find(([name]) => name === "targets")?.[1] ?? "";
    const read = parseTargetConfig(new TextEncoder().encode(text), "targets.json");
    expect([...read.keys()]).toEqual(["prod", "staging"]);
  });
});
