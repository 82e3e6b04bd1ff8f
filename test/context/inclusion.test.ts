import { describe, expect, test } from "bun:test";
import { bytePathFromText, bytePathOf } from "../../src/context/byte-path.ts";
import { parseIgnoreFile } from "../../src/context/ignore-file.ts";
import { alwaysIncluded, holdsOneOf, includedBy, shownBuildFile } from "../../src/context/inclusion.ts";
import type { BuildFile } from "../../src/context/layout.ts";

function buildFile(inside: string | null, target: string | null = inside): BuildFile {
  const path = (text: string | null) => (text === null ? null : bytePathFromText(text));
  return { place: "/elsewhere/file", inside: path(inside), target: path(target), content: null };
}

describe("what an ignore file cannot leave out", () => {
  const dockerfile = buildFile("Dockerfile");
  const ignoreFile = buildFile(".dockerignore");
  test.each<[string, BuildFile | null, BuildFile | null, string[]]>([
    ["both build files", dockerfile, ignoreFile, ["Dockerfile", ".dockerignore"]],
    ["a link and what it points to", buildFile("a", "b"), ignoreFile, ["a", "b", ".dockerignore"]],
    ["none that lies outside", buildFile(null), ignoreFile, [".dockerignore"]],
    ["the ignore file alone", null, ignoreFile, [".dockerignore"]],
    ["nothing, where there is no ignore file", dockerfile, null, []],
  ])("%s", (_, dockerfile, ignoreFile, paths) => {
    expect<string[]>([...alwaysIncluded({ dockerfile, ignoreFile })]).toEqual(paths);
  });
});

test("a directory holds what lies in it at any depth, and no name that only begins or ends like it", () => {
  const holds = (directory: string, ...paths: readonly string[]): boolean =>
    holdsOneOf(new Set(paths.map(bytePathFromText)), bytePathFromText(directory));
  expect([holds("a", "b", "a/b/c"), holds("a/b", "a/b/c")]).toEqual([true, true]);
  expect([holds("a"), holds("a", "a", "ab/c", "b/a/c", "c/a/")]).toEqual([false, false]);
});

test("a path belongs to the context unless a rule ignores it, and a build file does in spite of it", () => {
  const belongs = includedBy(
    new Set([bytePathFromText("a/Dockerfile")]),
    parseIgnoreFile(Buffer.from("a\n\u00e9")),
  );
  const paths = ["a/Dockerfile", "a/other", "b", "\u00e9/x", "c"].map(bytePathFromText);
  expect(paths.map(belongs)).toEqual([true, false, true, false, true]);
  const raw = includedBy(new Set(), parseIgnoreFile(Buffer.from("b\xe9", "latin1")));
  expect([raw(bytePathOf(Buffer.from("b\xe9", "latin1"))), raw(bytePathFromText("b\u00e9"))]).toEqual([
    false,
    true,
  ]);
});

test("a build file is told by its path in the context, or by its place", () => {
  expect([null, undefined, buildFile(null), buildFile("\u00e9/a")].map(shownBuildFile)).toEqual([
    null,
    null,
    "/elsewhere/file",
    "\u00e9/a",
  ]);
});
