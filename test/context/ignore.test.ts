import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { parseIgnoreFile } from "../../src/context/ignore-file.ts";
import { compileIgnore, type IgnoreMatcher, type Match } from "../../src/context/ignore.ts";
import { selectEntries, treeOf } from "./ignore-tree.ts";

function matcherOf(file: string): IgnoreMatcher {
  return compileIgnore(parseIgnoreFile(Buffer.from(file)));
}

/** The match of a path on a walk from the root that reads every directory. */
function onWalk(matcher: IgnoreMatcher, path: string): Match {
  const names = path.split("/");
  let found = matcher.match(names[0] ?? "", null);
  for (let depth = 2; depth <= names.length; depth++) {
    found = matcher.match(names.slice(0, depth).join("/"), found.own);
  }
  return found;
}

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("which line decides", () => {
  test.each<[string, string, boolean, string | null]>([
    ["", "a", false, null],
    ["a", "a", true, "a"],
    ["a", "a/b/c", true, "a"],
    ["a", "b/a", false, null],
    ["a\na/b", "a/b", true, "a"],
    ["a/b\na", "a/b", true, "a/b"],
    ["*\n!src", "src/a.ts", false, "!src"],
    ["*\n!src", "other", true, "*"],
    ["*\n!src/a.ts", "src", true, "*"],
    ["*\n!src/a.ts", "src/a.ts", false, "!src/a.ts"],
    ["*\n!src/a.ts", "src/b.ts", true, "*"],
    ["!foo\nfoo", "foo", true, "foo"],
    ["foo\n!foo\nfoo", "foo", true, "foo"],
    ["a\n!a/b\na/b/c\n!a/b/c/d", "a/b/c/d/e", false, "!a/b/c/d"],
    ["a\n!a/b\na/b/c\n!a/b/c/d", "a/b/c/e", true, "a/b/c"],
    // The exception could change nothing when its directory was looked at, so it does not reach below.
    ["a/b/c\n!a/b", "a/b/c", true, "a/b/c"],
    ["/", "a", false, null],
    ["..\n../a\n.", "a", false, null],
    ["A", "a", false, null],
    ["/ x", "x", true, " x"],
    ["/ !x\nx", "x", true, "x"],
    ["!!x\n!x", "!x", false, null],
  ])("%j: %s", (file, path, ignored, pattern) => {
    const found = onWalk(matcherOf(file), path);
    expect([found.ignored, found.decidedBy?.pattern ?? null]).toEqual([ignored, pattern]);
  });

  test("the line number is that of the file", () => {
    const found = onWalk(matcherOf("# all\n\n*\n!a\n"), "a/b");
    expect(found.decidedBy).toEqual({ pattern: "!a", line: 4 });
  });

  test("what matched above is not compared again, and siblings share nothing", () => {
    const matcher = matcherOf("a\nb*\n!a/c");
    const a = matcher.match("a", null);
    const kept = matcher.match("a/c", a.own);
    expect([kept.ignored, matcher.match("a/d", a.own).ignored]).toEqual([false, true]);
    expect(matcher.match("a/c/x", kept.own).ignored).toBe(false);
    expect(matcher.match("x", null).own).toBe(matcher.match("y", null).own);
    expect(matcher.match("a/e", a.own).own).toBe(a.own);
  });

  test("an empty file is known beforehand", () => {
    expect([matcherOf("# a\n").empty, matcherOf("a").empty]).toEqual([true, false]);
    // Twice trimmed and cleaned, nothing is left.
    expect(matcherOf("/ /").empty).toBe(true);
  });
});

describe("files that docker build refuses", () => {
  test.each<[string, string]>([
    ["a\n!", 'line 2 of the ignore file, "!": illegal exclusion pattern: "!"'],
    ["a\n\n! ", 'line 3 of the ignore file, "!": illegal exclusion pattern: "!"'],
    ["!/", 'line 1 of the ignore file, "!/": illegal exclusion pattern: "!"'],
    ["a\n[", 'line 2 of the ignore file, "[": syntax error in pattern'],
    ["a\\", 'line 1 of the ignore file, "a\\": syntax error in pattern'],
    ["![x-]", 'line 1 of the ignore file, "![x-]": syntax error in pattern'],
    ["a\u202e[", 'line 1 of the ignore file, "a [": syntax error in pattern'],
  ])("%j when it is loaded", (file, message) => {
    const failure = failureOf(() => matcherOf(file));
    expect([failure.code, failure.message, failure.exitCode]).toEqual(["ignore_file_invalid", message, 5]);
  });

  test("others when the pattern is first needed, every time", () => {
    const matcher = matcherOf("a\n!b\n![Local-Only]\n[Local-Only]");
    for (let time = 0; time < 2; time++) {
      expect(failureOf(() => matcher.match("a", null)).message).toContain("line 3 of the ignore file");
      expect(failureOf(() => matcher.match("b", null)).message).toContain("line 4 of the ignore file");
    }
    expect(matcherOf("![z-a]").match("a", null).ignored).toBe(false);
    expect(matcherOf("a\n[z-a]").match("a", null).ignored).toBe(true);
  });
});

describe("the walk", () => {
  const files = [
    "Dockerfile",
    "a/b/c/f",
    "a/b/d",
    "a/g",
    "empty/",
    "src/empty/",
    "src/i.ts",
    "src/lib/a.test.ts",
  ];

  test.each<[string, string[]]>([
    ["*", []],
    ["a\nsrc", ["Dockerfile", "empty/"]],
    [
      "**\n!src/**\n!Dockerfile",
      ["Dockerfile", "src/", "src/empty/", "src/i.ts", "src/lib/", "src/lib/a.test.ts"],
    ],
    ["*\n!src\nsrc/**/*.test.ts", ["src/", "src/empty/", "src/i.ts", "src/lib/"]],
    ["*\n!a/b/c/f", ["a/", "a/b/", "a/b/c/", "a/b/c/f"]],
    ["*\n!**/c\n!empty", ["a/", "a/b/", "a/b/c/", "a/b/c/f", "empty/"]],
    ["*\n!**/d\n!a/g", ["a/", "a/b/", "a/b/d", "a/g"]],
    ["*\n!a/*", ["a/", "a/b/", "a/b/c/", "a/b/c/f", "a/b/d", "a/g"]],
    // The trailing stars are cut off twice, so that Docker takes the exception for `a` and does not look into `a/b`.
    ["*\n!a/*/**", []],
    ["*\n!a/?/**", ["a/", "a/b/", "a/b/c/", "a/b/c/f", "a/b/d"]],
  ])("%j", (file, kept) => {
    const matcher = matcherOf(file);
    expect(selectEntries(matcher, treeOf(files))).toEqual(kept);
    for (const path of files.filter((path) => !path.endsWith("/"))) {
      expect([path, matcher.verdictFor(path).ignored]).toEqual([path, !kept.includes(path)]);
    }
  });

  test.each<[string, string, boolean]>([
    ["*", "a", false],
    ["*\n!b", "a", false],
    ["*\n!a", "a", true],
    ["*\n!a/b/c", "a/b", true],
    ["*\n!a/b/c", "a/b/c", true],
    ["*\n!a/b/c", "a/b/c/d", false],
    ["*\n!a/b/c", "a/bb", false],
    ["*\n!a{1}", "b", false],
    ["*\n!?", "x/y/z", true],
    ["*\n!b\n!\\x", "a", true],
    ["*\n!b*", "a", true],
    ["*\n!b/*/**", "a", false],
  ])("%j: an exception may match below %s: %p", (file, directory, expected) => {
    expect(matcherOf(file).mayContainIncluded(directory)).toBe(expected);
  });

  test("a verdict without the tree names the line, also for a path below a directory that is not read", () => {
    const matcher = matcherOf("a\n!b/x");
    expect(matcher.verdictFor("./a/b/../c/")).toEqual({
      ignored: true,
      decidedBy: { pattern: "a", line: 1 },
    });
    expect(matcher.verdictFor("b/x")).toEqual({ ignored: false, decidedBy: null });
    for (const root of [".", "", "/"]) expect(matcherOf("*").verdictFor(root).ignored).toBe(false);
  });
});
