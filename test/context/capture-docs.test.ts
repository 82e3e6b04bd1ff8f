import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { plantFiles } from "./support/disk-tree.ts";
import { waybill } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const TESTS = resolve(import.meta.dir, "..");
const PAGE = readFileSync(resolve(TESTS, "../docs/capture.md"), "utf8");

/** What `$ waybill …` in the page's blocks is said to print. */
function examples(): { readonly args: readonly string[]; readonly printed: string }[] {
  const blocks = [...PAGE.matchAll(/^```\n(\$ waybill .*?)^```$/gmsu)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block.split(/^\$ waybill /mu).flatMap((example) => {
      const [command = "", ...printed] = example.split("\n");
      return command === "" ? [] : [{ args: command.split(" "), printed: printed.join("\n") }];
    }),
  );
}

/** The repository of the examples, with a change that git sees and a file that it does not. */
function shop(): string {
  const base = newFolder();
  const files = {
    ".gitignore": ".env\n",
    "app/.dockerignore": "node_modules\n*.log\n",
    "app/Dockerfile": "FROM scratch\nCOPY src /src\n",
    "app/src/main.ts": "main\n",
    "docs/readme.md": "docs\n",
  };
  const origin = makeRepository(join(base, "origin"), { files });
  git(origin, "tag", "v1.4.0");
  git("/", "clone", "-q", origin, join(base, "shop"));
  git(join(base, "shop"), "config", "remote.origin.url", "https://ci:hunter2@git.example.com/team/shop.git");
  plantFiles(join(base, "shop"), { "app/.env": "TOKEN=1\n", "app/src/main.ts": "main\nx\n" });
  mkdirSync(join(base, "shop/app/node_modules"));
  plantFiles(join(base, "notes"), { "a.txt": "hello\n" });
  return join(base, "shop");
}

test.skipIf(!HAS_GIT)("what the page shows is what is printed", async () => {
  const cwd = shop();
  expect(examples().length).toBe(5);
  for (const { args, printed } of examples()) {
    const format = args.includes("--format");
    const { exit, stdout, stderr } = await waybill(args, { cwd });
    expect([args, exit, stdout + (format ? "" : stderr)]).toEqual([args, 0, printed]);
  }
});

/** The cases of the page, each with what is said of it. */
const ROWS: ReadonlyMap<number, string> = new Map(
  [...PAGE.slice(PAGE.indexOf("\n## Hard cases\n")).matchAll(/^\| (\d+) \| (.*) \|$/gmu)].map(
    ([, number = "", row = ""]) => [Number(number), row],
  ),
);
const UNTESTED: readonly number[] = [67];

test("every hard case of the page is a test with its number, or says that it is none", () => {
  const files = ["attacks", "commands", "context", "source"].flatMap((folder) =>
    readdirSync(join(TESTS, folder), { recursive: true, encoding: "utf8" })
      // Promotions and add-ons have hard cases of their own.
      .filter((name) => name.endsWith(".ts") && !/^(?:cases|addon)-/u.test(name))
      .map((name) => readFileSync(join(TESTS, folder, name), "utf8")),
  );
  const named = new Set(
    files.flatMap((text) => [...text.matchAll(/["`]case (\d+): /gu)].map(([, n]) => Number(n))),
  );
  const wanted = Array.from({ length: 71 }, (_, index) => index + 1);
  expect([...ROWS.keys()]).toEqual(wanted);
  expect(wanted.filter((number) => !named.has(number))).toEqual([...UNTESTED]);
  expect([...named].filter((number) => !ROWS.has(number))).toEqual([]);
  expect(UNTESTED.every((number) => ROWS.get(number)?.includes("not tested") === true)).toBe(true);
});
