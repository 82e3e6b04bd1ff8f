import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isGroup, type Command } from "../../src/cli/command.ts";
import { describeTree } from "../../src/cli/command-tree.ts";
import { COMMON_FLAGS } from "../../src/cli/flags.ts";
import { root } from "../../src/commands/root.ts";

type Known = { readonly path: readonly string[]; readonly command: Command };

const known = (await describeTree(root))
  .flatMap(({ path, command }): Known[] => (isGroup(command) ? [] : [{ path, command }]))
  .toSorted((a, b) => b.path.length - a.path.length);

/** The command lines of a page, between backticks and in blocks, continued lines and all, each to its first pipe. */
function linesOf(page: string): string[] {
  const text = page.replaceAll(/\\\n\s*/gu, " ");
  const inline = [...text.matchAll(/`(?:\$ )?waybill ([^`]*)`/gu)];
  const blocks = [...text.matchAll(/^```[a-z]*\n(.*?)^```$/gmsu)].flatMap(([, block = ""]) => [
    ...block.matchAll(/(?:^|[\s(=]|\/bin\/)waybill ([^\n#|>&;]*)/gu),
  ]);
  // What stands behind `--` is another program's.
  return [...inline, ...blocks].map(([, line = ""]) => line.replace(/ -- .*$/u, ""));
}

/** What is wrong with them: a command or a flag that does not exist. */
function faultsOf(text: string): string[] {
  const lines = linesOf(text).map((line) => line.split(/\s+/u));
  return lines.flatMap((words) => {
    const named = known.find(({ path }) => path.every((word, index) => words[index] === word));
    // `verify` alone is `verify pin`; what is no whole line, such as the name of a group, has no flags.
    const hit =
      named ??
      (words[0] === "verify" ? known.find(({ path }) => path.join(" ") === "verify pin") : undefined);
    if (hit === undefined)
      return words.some((word) => word.startsWith("--")) ? [`waybill ${words.join(" ")}`] : [];
    return words
      .flatMap((word) => /^--([a-z0-9-]*[a-z0-9])(?:=|$)/u.exec(word)?.[1] ?? [])
      .filter((name) => !Object.hasOwn({ ...hit.command.args, ...COMMON_FLAGS }, name))
      .map((name) => `waybill ${hit.path.join(" ")} has no --${name}`);
  });
}

describe("command lines in the pages", () => {
  const top = join(import.meta.dir, "../..");
  const docs = readdirSync(join(top, "docs")).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", ...docs.map((name) => `docs/${name}`)];
  test.each(pages)("%s names flags that exist", (page) => {
    expect(faultsOf(readFileSync(join(top, page), "utf8"))).toEqual([]);
  });

  test("one that does not exist is seen", () => {
    expect(faultsOf("`waybill sign x --nonsense y`")).toEqual(["waybill sign has no --nonsense"]);
    expect(faultsOf("`waybill nothing --json`")).toEqual(["waybill nothing --json"]);
    expect(faultsOf("```\nx=$(waybill sign x \\\n  --nonsense | y --more)\n```\n")).toEqual([
      "waybill sign has no --nonsense",
    ]);
    expect(faultsOf("`waybill verify --template x` and `waybill key`")).toEqual([]);
  });
});
