import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ARROWS, idlePermissions, missingDeciders, violations } from "./rules.ts";
import { circles, importsOf, reachableFrom, readSourceTree, type SourceTree } from "./source-tree.ts";

const tree = readSourceTree(join(import.meta.dir, "../../src"));

describe("the source tree", () => {
  test("was found", () => {
    expect(tree.size).toBeGreaterThan(50);
    expect(tree.has("main.ts")).toBe(true);
  });

  test("obeys its rules", () => {
    expect(violations(tree)).toEqual([]);
  });

  test("has no file that nothing uses", () => {
    const reached = reachableFrom("main.ts", tree);
    expect([...tree.keys()].filter((path) => !reached.has(path))).toEqual([]);
  });

  test("has no files that need each other", () => {
    expect(circles(tree)).toEqual([]);
  });

  test("has every file that the rules name as one that decides", () => {
    expect(missingDeciders(tree)).toEqual([]);
  });

  test("makes use of every permission of the rules", () => {
    expect(idlePermissions(tree)).toEqual([]);
  });

  test("has no barrels", () => {
    expect([...tree.keys()].filter((path) => /(?:^|\/)(?:index|utils|helpers)\.ts$/u.test(path))).toEqual([]);
  });
});

test("the arrows have no circle", () => {
  const above = (folder: string, seen: readonly string[]): string[] =>
    seen.includes(folder)
      ? [[...seen, folder].join(" -> ")]
      : (ARROWS[folder] ?? []).flatMap((next) => above(next, [...seen, folder]));
  expect(Object.keys(ARROWS).flatMap((folder) => above(folder, []))).toEqual([]);
});

test("files that need each other are seen, over others and later too; types tie nothing", () => {
  const three = new Map([
    ["cli/a.ts", 'import { b } from "./b.ts";'],
    ["cli/b.ts", 'export const b = () => import("./c.ts");'],
    ["cli/c.ts", 'import { a } from "./a.ts";'],
  ]);
  expect(circles(three)).toEqual(["cli/a.ts -> cli/b.ts -> cli/c.ts -> cli/a.ts"]);
  expect(circles(new Map(three).set("cli/c.ts", 'import type { A } from "./a.ts";'))).toEqual([]);
});

describe("the imports of a file", () => {
  const read: [string, string, { target: string; isOwn: boolean; isType: boolean }][] = [
    ["a module", 'import { a } from "node:fs";', { target: "node:fs", isOwn: false, isType: false }],
    [
      "one over several lines",
      'import {\n  a,\n  b,\n} from "../base/x.ts";',
      { target: "base/x.ts", isOwn: true, isType: false },
    ],
    ["a type", 'import type { A } from "./x.ts";', { target: "cli/x.ts", isOwn: true, isType: true }],
    [
      "a type among values",
      'import { type A, b } from "./x.ts";',
      { target: "cli/x.ts", isOwn: true, isType: false },
    ],
    ["everything", 'import * as a from "./x.ts";', { target: "cli/x.ts", isOwn: true, isType: false }],
    ["an effect alone", 'import "./x.ts";', { target: "cli/x.ts", isOwn: true, isType: false }],
    ["handed on", 'export { a } from "./x.ts";', { target: "cli/x.ts", isOwn: true, isType: false }],
    ["handed on, all of it", 'export * from "./x.ts";', { target: "cli/x.ts", isOwn: true, isType: false }],
    [
      "a type handed on",
      'export type { A } from "./x.ts";',
      { target: "cli/x.ts", isOwn: true, isType: true },
    ],
    [
      "loaded later",
      'const a = await import("../commands/x.ts");',
      { target: "commands/x.ts", isOwn: true, isType: false },
    ],
  ];
  test.each(read)("%s", (_what, text, wanted) => {
    expect(importsOf("cli/run.ts", text)).toEqual([wanted]);
  });

  test("a comment is none", () => {
    expect(importsOf("cli/run.ts", '// import "./x.ts";\n/*\nimport "./y.ts";\n*/\n')).toEqual([]);
  });
});

describe("a tree that breaks a rule is seen", () => {
  const broken: [string, string, string, string][] = [
    [
      "an arrow up",
      "cli/a.ts",
      'import { a } from "../commands/b.ts";',
      "cli/a.ts imports commands/b.ts: cli may not know commands",
    ],
    [
      "an arrow up, of a type",
      "base/a.ts",
      'import type { A } from "../host/b.ts";',
      "base/a.ts imports host/b.ts: base may not know host",
    ],
    [
      "an arrow up, loaded later",
      "host/a.ts",
      'await import("../cli/b.ts");',
      "host/a.ts imports cli/b.ts: host may not know cli",
    ],
    [
      "an arrow up, handed on",
      "host/a.ts",
      'export * from "../cli/b.ts";',
      "host/a.ts imports cli/b.ts: host may not know cli",
    ],
    [
      "an arrow to the side",
      "pins/a.ts",
      'import { a } from "../addons/b.ts";',
      "pins/a.ts imports addons/b.ts: pins may not know addons",
    ],
    [
      "an arrow to the side, of a type",
      "control-plane/a.ts",
      'import type { A } from "../pins/b.ts";',
      "control-plane/a.ts imports pins/b.ts: control-plane may not know pins",
    ],
    [
      "main.ts in a folder",
      "cli/a.ts",
      'import "../main.ts";',
      "cli/a.ts imports main.ts: cli may not know main.ts",
    ],
    [
      "a folder without a place",
      "utils/a.ts",
      "",
      "utils/a.ts is in a folder that has no place in the order: utils",
    ],
    [
      "a file outside",
      "cli/a.ts",
      'import "../../test/b.ts";',
      "cli/a.ts imports ../test/b.ts, which is not in src",
    ],
    [
      "a module of another file",
      "pins/a.ts",
      'import { verify } from "@noble/ed25519";',
      "pins/a.ts imports @noble/ed25519, which is not its to use",
    ],
    [
      "a module of another folder",
      "commands/a.ts",
      'import { defineCommand } from "citty";',
      "commands/a.ts imports citty, which is not its to use",
    ],
    [
      "consola beside the speaker",
      "cli/report.ts",
      'import { consola } from "consola";',
      "cli/report.ts imports consola, which is not its to use",
    ],
    [
      "a module that nobody knows",
      "stores/a.ts",
      'import { get } from "node:https";',
      "stores/a.ts imports node:https, which nobody may",
    ],
    [
      "a second HTTP door",
      "stores/a.ts",
      "await fetch(url);",
      "stores/a.ts uses fetch(, which is not its to use",
    ],
    [
      "an early end",
      "commands/a.ts",
      "process.exit(1);",
      "commands/a.ts uses process.exit(, which is not its to use",
    ],
    [
      "the environment, past the world",
      "commands/a.ts",
      "process.env.TOKEN",
      "commands/a.ts uses process.env, which is not its to use",
    ],
    [
      "a program started elsewhere",
      "source/a.ts",
      "Bun.spawnSync([])",
      "source/a.ts uses Bun.spawn, which is not its to use",
    ],
    [
      "a decision that reads",
      "context/ignore-x.ts",
      'import { readFileSync } from "node:fs";',
      "context/ignore-x.ts decides and imports node:fs, which does not",
    ],
    [
      "a decision that asks one that acts",
      "context/tar.ts",
      'import { a } from "./walk.ts";',
      "context/tar.ts decides and imports context/walk.ts, which does not",
    ],
    [
      "a decision that opens",
      "pins/classify-write.ts",
      'Bun.file("a")',
      "pins/classify-write.ts decides and uses Bun.file",
    ],
    [
      "a decision with a clock",
      "pins/classify-write.ts",
      "Date.now()",
      "pins/classify-write.ts decides and uses Date.now",
    ],
    [
      "a decision with another clock",
      "addons/staging/next-step.ts",
      "new Date()",
      "addons/staging/next-step.ts decides and uses new Date()",
    ],
    [
      "a decision with a die",
      "addons/staging/next-step.ts",
      "Math.random()",
      "addons/staging/next-step.ts decides and uses Math.random",
    ],
    [
      "a decision with a die of crypto",
      "trust/der.ts",
      "randomBytes(3)",
      "trust/der.ts decides and uses randomBytes",
    ],
    [
      "a decision about this process",
      "addons/assigned/platform.ts",
      "process.platform",
      "addons/assigned/platform.ts decides and uses process.",
    ],
    ["a file too long", "cli/a.ts", "\n".repeat(261), "cli/a.ts has more than 260 lines"],
  ];
  test.each(broken)("%s", (_what, path, text, wanted) => {
    const others = ["base", "host", "cli", "commands", "pins", "addons"].map(
      (folder) => [`${folder}/b.ts`, ""] as const,
    );
    const made: SourceTree = new Map([["main.ts", ""], ["context/walk.ts", ""], ...others, [path, text]]);
    expect(violations(made)).toEqual([wanted]);
  });

  test("and one that keeps them is not", () => {
    const made: SourceTree = new Map([
      ["main.ts", 'import { a } from "./commands/a.ts";'],
      ["commands/a.ts", 'import { b } from "../control-plane/b.ts";\n// process.exit(1) would be wrong\n'],
      ["control-plane/b.ts", 'import type { C } from "../trust/pem.ts";'],
      ["trust/pem.ts", 'import { d } from "../base/c.ts";'],
      ["pins/classify-write.ts", 'import { isOk } from "../base/c.ts";\nnew Date(0);\n'],
      ["base/c.ts", ""],
    ]);
    expect(violations(made)).toEqual([]);
    expect([...made.keys()].filter((path) => !reachableFrom("main.ts", made).has(path))).toEqual([
      "pins/classify-write.ts",
    ]);
  });

  test("a permission that nothing makes use of is seen", () => {
    const idle = idlePermissions(new Map([["pins/a.ts", 'import { b } from "../host/b.ts";']]));
    expect(idle).toEqual(
      expect.arrayContaining([
        "pins need not know trust",
        "nobody imports bun:sqlite",
        "nobody uses \\bfetch\\(",
      ]),
    );
    expect(idle).not.toContain("pins need not know host");
  });

  test("a file that nothing uses is not reached", () => {
    const made: SourceTree = new Map([
      ["main.ts", 'import "./cli/a.ts";'],
      ["cli/a.ts", ""],
      ["cli/b.ts", 'import "./a.ts";'],
    ]);
    expect(reachableFrom("main.ts", made).has("cli/b.ts")).toBe(false);
  });
});
