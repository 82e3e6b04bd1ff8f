import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/base/failure.ts";
import { parseIgnoreFile, type IgnoreLine } from "../../src/context/ignore-file.ts";
import { compileIgnore, type ParentMatch } from "../../src/context/ignore.ts";
import { selectEntries, treeOf } from "./ignore-tree.ts";

type MatchCase = { file?: string; patterns?: string[]; path: string; ignored?: boolean; error?: string };
type ParseCase = { file: string; patterns: string[] };
type WalkCase = { files: string[]; dirs: string[]; dockerignore: string; context_entries: string[] };
type Cases = { match: MatchCase[]; fuzz: MatchCase[]; parse: ParseCase[]; walk: WalkCase[] };

const folder = process.env["WAYBILL_CONFORMANCE"];
const cases: Cases =
  folder === undefined
    ? { match: [], fuzz: [], parse: [], walk: [] }
    : JSON.parse(readFileSync(join(folder, "dockerignore.json"), "utf8"));

function linesOf({ file, patterns }: MatchCase): IgnoreLine[] {
  if (file !== undefined) return parseIgnoreFile(Buffer.from(file));
  return (patterns ?? []).map((pattern, at) => ({ pattern, line: at + 1 }));
}

/** The verdict, or Docker's words for what is wrong. */
function outcome(one: MatchCase): boolean | string {
  try {
    const matcher = compileIgnore(linesOf(one));
    let parent: ParentMatch | null = null;
    let ignored = false;
    for (let end = one.path.indexOf("/"); ; end = one.path.indexOf("/", end + 1)) {
      const found = matcher.match(end === -1 ? one.path : one.path.slice(0, end), parent);
      parent = found.own;
      ignored = found.ignored;
      if (end === -1) return ignored;
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${error.code}: ${error.message.replace(/^.*": (?=illegal|syntax)/u, "")}`;
  }
}

function expected({ error, ignored }: MatchCase): boolean | string | undefined {
  return error === undefined ? ignored : `ignore_file_invalid: ${error}`;
}

describe("conformance with moby/patternmatcher and BuildKit's walk", () => {
  test.skipIf(folder === undefined)("match and fuzz", () => {
    const all = [...cases.match, ...cases.fuzz];
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter((one) => outcome(one) !== expected(one))).toEqual([]);
  });

  test.skipIf(folder === undefined)("parse", () => {
    expect(cases.parse.length).toBeGreaterThan(5);
    for (const { file, patterns } of cases.parse) {
      expect(parseIgnoreFile(Buffer.from(file)).map((line) => line.pattern)).toEqual(patterns);
    }
  });

  test.skipIf(folder === undefined)("walk", () => {
    expect(cases.walk.length).toBeGreaterThan(10);
    for (const { files, dirs, dockerignore, context_entries } of cases.walk) {
      const matcher = compileIgnore(parseIgnoreFile(Buffer.from(dockerignore)));
      const tree = treeOf([...files, ...dirs.map((directory) => `${directory}/`)]);
      expect(selectEntries(matcher, tree)).toEqual(context_entries.toSorted());
    }
  });
});
