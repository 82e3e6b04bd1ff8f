import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseIgnoreFile } from "../../src/context/ignore-file.ts";
import { compilePattern, isAcceptedGlob } from "../../src/context/ignore-pattern.ts";
import { cleanPath, decodeName, encodeName, trimSpace } from "../../src/context/ignore-text.ts";
import { compileIgnore } from "../../src/context/ignore.ts";
import { selectEntries, treeOf } from "./ignore-tree.ts";

const RUNS = { numRuns: 500 };

function joined(pieces: string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength }).map((found) => found.join(""));
}

const name = joined(["a", "b", "c", "ab", "."], 2).filter((found) => !/^\.*$/u.test(found));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const glob = joined(["a", "b", "c", "*", "**", "/", "?", "[ab]", "[^a]"], 5);
const ignoreFile = fc
  .array(fc.tuple(fc.boolean(), glob), { maxLength: 5 })
  .map((lines) => lines.map(([exception, pattern]) => (exception ? `!${pattern}` : pattern)).join("\n"));

describe("text", () => {
  test("bytes survive decoding and encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(Buffer.from(encodeName(decodeName(bytes)))).toEqual(Buffer.from(bytes));
      }),
      RUNS,
    );
  });

  test("cleaning and trimming twice is doing it once", () => {
    fc.assert(
      fc.property(joined(["a", "/", ".", "..", " ", "\u0085", "\ufeff"], 12), (text) => {
        expect(cleanPath(cleanPath(text))).toBe(cleanPath(text));
        expect(trimSpace(trimSpace(text))).toBe(trimSpace(text));
      }),
      RUNS,
    );
  });

  test("any bytes are read or refused by the foreseen failure", () => {
    const hostile = joined(
      ["a", "*", "[", "]", "\\", "{2}", "|", "!", "\n", "/", "\\Q", "\\p{", "[:", "\ufeff", "\0"],
      12,
    );
    fc.assert(
      fc.property(hostile, path, (file, path) => {
        try {
          compileIgnore(parseIgnoreFile(Buffer.from(file))).match(path, null);
        } catch (error) {
          expect(error).toHaveProperty("code", "ignore_file_invalid");
        }
      }),
      RUNS,
    );
  });
});

/** The textbook translation of these globs to the platform's own engine. */
function reference(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?$|\*\*\/?|\*|\?|\./gu, (found, at: number) => {
    if (!found.startsWith("**")) return found === "*" ? "[^/]*" : found === "?" ? "[^/]" : "\\.";
    return at + found.length === pattern.length ? "[^\\n]*" : "(?:[^\\n]*/)?";
  });
  return new RegExp(`^(?:${source})$`, "u");
}

describe("matching", () => {
  test("a glob whose stars the platform's engine can take matches the same paths", () => {
    // A leading or trailing `**` next to literals alone is a plain suffix or prefix to Docker; `?` rules that out.
    fc.assert(
      fc.property(glob, glob, path, (before, after, path) => {
        const pattern = cleanPath(`${before}?${after}`);
        fc.pre(pattern.includes("?") && !/\*{3}/u.test(pattern) && isAcceptedGlob(pattern));
        expect([pattern, path, compilePattern(pattern)?.(path)]).toEqual([
          pattern,
          path,
          reference(pattern).test(path),
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  test("without exceptions all below an ignored path is ignored, by the same line", () => {
    fc.assert(
      fc.property(ignoreFile, path, path, (file, directory, below) => {
        const matcher = compileIgnore(parseIgnoreFile(Buffer.from(file.replaceAll("!", ""))));
        const above = matcher.verdictFor(directory);
        if (above.ignored) expect(matcher.verdictFor(`${directory}/${below}`)).toEqual(above);
      }),
      RUNS,
    );
  });

  test("the walk and the verdict for one path agree, and parents of what is kept are kept", () => {
    fc.assert(
      fc.property(ignoreFile, fc.array(path, { maxLength: 8 }), (file, paths) => {
        fc.pre(!/^!?\/*$/mu.test(file));
        const matcher = compileIgnore(parseIgnoreFile(Buffer.from(file)));
        const files = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
        const kept = selectEntries(matcher, treeOf(files));
        expect(kept.filter((entry) => !entry.endsWith("/"))).toEqual(
          [...new Set(files)].filter((path) => !matcher.verdictFor(path).ignored).sort(),
        );
        for (const entry of kept) {
          const parent = entry.replace(/[^/]*\/?$/u, "");
          if (parent !== "") expect(kept).toContain(parent);
        }
      }),
      RUNS,
    );
  });
});
