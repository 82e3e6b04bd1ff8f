import { describe, expect, test } from "bun:test";
import { decodeHeader, joinedOverrides, paxOverrides } from "../../src/context/tar-reading.ts";

/** A ustar header of a member without content. */
function header(name: string, type: string, size = "00000000000"): Uint8Array {
  const block = Buffer.alloc(512);
  block.write(name, 0, "latin1");
  block.write("0000644", 100, "latin1");
  block.write(size, 124, "latin1");
  block.write(`        ${type}`, 148, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

const NAME = Buffer.from("a");

test("what several headers say about one member is taken together", () => {
  expect(joinedOverrides({ path: NAME }, { linkpath: NAME, size: 1 })).toEqual({
    path: NAME,
    linkpath: NAME,
    size: 1,
  });
  expect(decodeHeader(header("a", "5", "00000001000"), {})).toMatchObject({ kind: "directory", size: 0 });
});

describe("a header of an archive", () => {
  test.each([
    ["a/", "\0", "directory"],
    ["a/", "0", "directory"],
    ["a", "\0", "file"],
    ["a", "5", "directory"],
    ["a", "1", "hard_link"],
    ["a", "2", "symlink"],
  ])("%j of type %j is a %s", (name, type, kind) => {
    expect(decodeHeader(header(name, type), {})).toMatchObject({ kind, path: "a" });
  });

  test.each<[string, () => unknown, string]>([
    ["a hard link with content", () => decodeHeader(header("a", "1", "00000000001"), {}), "with 1 bytes"],
    ["a link with content", () => decodeHeader(header("a", "2", "00000000001"), {}), "a link with 1 bytes"],
    ["a link with content, by pax", () => decodeHeader(header("a", "2"), { size: 512 }), "with 512 bytes"],
    [
      "a folder of old with content",
      () => decodeHeader(header("a/", "0", "00000000001"), {}),
      "a folder with 1",
    ],
    [
      "two names of one member",
      () => joinedOverrides({ path: NAME }, { path: NAME }),
      "says the path of a member",
    ],
    ["a NUL in a name", () => decodeHeader(header("a", "0"), { path: Buffer.from("a\0b") }), "with a NUL"],
    ["a sparse file", () => paxOverrides(Buffer.from("22 GNU.sparse.major=1\n"), false), "a sparse file"],
    ["one name for all", () => paxOverrides(Buffer.from("10 path=x\n"), true), "a global path"],
    ["a length that lies", () => paxOverrides(Buffer.from("11 path=x\n"), false), "a broken pax header"],
  ])("%s is refused", (_name, read, words) => {
    expect(read).toThrow(expect.objectContaining({ code: "archive_malformed" }));
    expect(read).toThrow(words);
  });
});
