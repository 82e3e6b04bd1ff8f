import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isReplayed, replay, withoutChance } from "../../scripts/replay.ts";
import { BINARY } from "../support/binary.ts";

setDefaultTimeout(120_000);

const DOCS = join(import.meta.dir, "../../docs");
const PAGES = readdirSync(DOCS).filter((name) => name.endsWith(".md"));
const REPLAYED = PAGES.filter((name) => isReplayed(readFileSync(join(DOCS, name), "utf8")));

describe.skipIf(BINARY === null)("the pages with commands (needs the compiled binary)", () => {
  test("are there", () => {
    expect(REPLAYED).toEqual(expect.arrayContaining(["tutorial.md", "trust.md"]));
  });

  test.each(REPLAYED)(
    "%s shows what its commands print; else run: scripts/replay, read, commit",
    async (name) => {
      const page = readFileSync(join(DOCS, name), "utf8");
      const replayed = await replay(page, dirname(BINARY ?? ""));
      expect(withoutChance(replayed).split("\n")).toEqual(withoutChance(page).split("\n"));
    },
  );

  test("a command that prints something else is seen", async () => {
    const page = "# x\n```console\n$ echo one\ntwo\n$ false\n$ echo $?; cd /; pwd \\\n  -P\n```\n";
    expect(await replay(page, "/bin")).toBe(
      "# x\n```console\n$ echo one\none\n$ false\n$ echo $?; cd /; pwd \\\n  -P\n1\n/\n```\n",
    );
  });
});

describe("the pages", () => {
  const root = join(DOCS, "..");
  const pages = ["README.md", "CONTRIBUTING.md", ...PAGES.map((name) => `docs/${name}`)];
  test.each(pages)("%s links to what is there", (page) => {
    const text = readFileSync(join(root, page), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/gu)].map(
      ([, target = ""]) => target,
    );
    const missing = targets.filter((target) => {
      const path = join(root, dirname(page), target);
      return (
        [...new Bun.Glob(join(path).slice(1)).scanSync({ cwd: "/", onlyFiles: false, dot: true })].length ===
        0
      );
    });
    expect(missing).toEqual([]);
  });
});
