import { expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../src/base/encoding.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathOf } from "../../src/context/byte-path.ts";
import { manifestLine, parseManifest } from "../../src/context/manifest.ts";
import { modeOf, type TreeItem } from "../../src/context/tree-digests.ts";

const item = fc
  .record({
    path: fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((bytes) => !bytes.includes(0)),
    content: fc.uint8Array({ maxLength: 4 }),
    blob: fc.option(fc.uint8Array({ minLength: 20, maxLength: 20 })),
    executable: fc.boolean(),
    kind: fc.constantFrom("file", "symlink"),
  })
  .map(({ path, content, blob, executable, kind }): TreeItem => ({
    path: bytePathOf(path),
    kind: kind === "file" ? "file" : "symlink",
    content: { sha256: sha256Of(content), blob, size: content.length, executable },
  }));

test("a manifest says every name exactly, and reads as what was written", () => {
  fc.assert(
    fc.property(fc.uniqueArray(item, { selector: ({ path }) => path }), (items) => {
      const text = items.map(manifestLine).join("");
      expect(text.split("\n").length).toBe(items.length + 1);
      expect(parseManifest(text, "it")).toEqual(
        items.map((one) => ({
          path: one.path,
          mode: modeOf(one),
          size: one.content.size,
          sha256: one.content.sha256,
          blob: one.content.blob === null ? null : toHex(one.content.blob),
        })),
      );
    }),
  );
});

const GOOD = { path: "a", mode: "100644", size: 1, sha256: "0".repeat(64), git_blob: null };
const BAD: readonly object[] = [
  { ...GOOD, path: "" },
  { ...GOOD, mode: "100600" },
  { ...GOOD, mode: " 100644" },
  { ...GOOD, mode: "100644 " },
  { ...GOOD, size: 1.5 },
  { ...GOOD, size: -1 },
  { ...GOOD, sha256: "0".repeat(63) },
  { ...GOOD, sha256: "A".repeat(64) },
  { ...GOOD, git_blob: "x" },
  { ...GOOD, git_blob: 1 },
  { ...GOOD, git_blob: "0".repeat(41) },
  { ...GOOD, git_blob: ` ${"0".repeat(40)}` },
  { ...GOOD, git_blob: "A".repeat(40) },
  { ...GOOD, path_base64: "*" },
  { ...GOOD, path_base64: "" },
  { ...GOOD, path: "first" },
  { ...GOOD, path: "other", path_base64: "Zmlyc3Q=" },
  {},
];
test.each(BAD)("%j is refused as the third line, behind an empty one", (line) => {
  const first = JSON.stringify({ ...GOOD, path: "first" });
  expect(() => parseManifest(`${first}\n\n${JSON.stringify(line)}\n`, "it")).toThrow(
    expect.objectContaining({
      code: "input_invalid",
      message: expect.stringContaining("line 3 of it is no entry of a manifest: "),
    }),
  );
});

test("a member that is none is told with what was wanted", () => {
  const line = JSON.stringify({ ...GOOD, path_base64: "*" });
  expect(() => parseManifest(line, "it")).toThrow('path_base64 is "*"; wanted base64');
});

test("the id as a git blob has one of two lengths, or is missing", () => {
  const { git_blob: _, ...without } = GOOD;
  const ids = ["1".repeat(40), "2".repeat(64)];
  const lines = [without, ...ids.map((id) => ({ ...GOOD, path: id, git_blob: id }))];
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  expect(parseManifest(text, "it").map(({ blob }) => blob)).toEqual([null, ...ids]);
});

test.each(["[]", "x", "{", '{"path":"a","path":"b"}'])("%s is no line of a manifest", (line) => {
  expect(() => parseManifest(line, "it")).toThrow(
    expect.objectContaining({ code: "input_invalid", message: expect.stringContaining("line 1 of it") }),
  );
});
