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

/** A header of GNU tar with a byte in one of its own fields. */
function gnuHeader(at: number): Uint8Array {
  return marked(marked(header("a", "0"), 257, "ustar  \0"), at, "1");
}

function marked(header: Uint8Array, at: number, text: string): Uint8Array {
  const block = Buffer.from(header);
  block.write(text, at, "latin1");
  block.write(" ".repeat(8), 148, "latin1");
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
  // The size in a pax header is that of the member, however many headers stand between them.
  expect(decodeHeader(header("a", "L", "00000000005"), { size: 700 })).toEqual({
    kind: "long_name",
    size: 5,
  });
});

test("GNU tar's own times stand where others have a prefix", () => {
  expect(decodeHeader(gnuHeader(345), {})).toMatchObject({ kind: "file", path: "a" });
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
    expect(decodeHeader(header(name, type), { linkpath: NAME })).toMatchObject({ kind, path: "a" });
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
    [
      "a second pax header",
      () => joinedOverrides({ path: NAME, pax: true }, { linkpath: NAME, pax: true }),
      "has two pax headers before one member",
    ],
    ["a NUL in a name", () => decodeHeader(header("a", "0"), { path: Buffer.from("a\0b") }), "with a NUL"],
    ["a file with a map of GNU's sparse ones", () => decodeHeader(gnuHeader(386), {}), "a sparse file"],
    [
      "a file with another size by star",
      () => paxOverrides(Buffer.from("21 SCHILY.realsize=1\n"), false),
      "a sparse file",
    ],
    [
      "a header whose magic readers differ in",
      () => decodeHeader(marked(header("a", "0"), 257, "ustar 00"), {}),
      "an unknown format",
    ],
    ["a file with such a map to come", () => decodeHeader(gnuHeader(482), {}), "a sparse file"],
    ["a sparse file", () => paxOverrides(Buffer.from("22 GNU.sparse.major=1\n"), false), "a sparse file"],
    ["one name for all", () => paxOverrides(Buffer.from("10 path=x\n"), true), "a global path"],
    ["a length that lies", () => paxOverrides(Buffer.from("11 path=x\n"), false), "a broken pax header"],
    // GNU tar passes over blanks before a keyword, and others take them for a part of it.
    [
      "a keyword behind blanks",
      () => paxOverrides(Buffer.from("11  path=x\n"), false),
      "a broken pax header",
    ],
    ["a keyword behind a tab", () => paxOverrides(Buffer.from("11 \tpath=x\n"), true), "a broken pax header"],
    ["a NUL in a keyword", () => paxOverrides(Buffer.from("8 x\0y=1\n"), false), "a broken pax header"],
    ["a length with a sign", () => paxOverrides(Buffer.from("+11 path=x\n"), false), "a broken pax header"],
    ["a length in hex", () => paxOverrides(Buffer.from("0xb path=x\n"), false), "a broken pax header"],
    [
      "a length behind a blank",
      () => paxOverrides(Buffer.from(" 11 path=x\n"), false),
      "a broken pax header",
    ],
    ...["8 size=", "13 size=0x10", "12 size=1e2", "11 size= 5", "11 size=+5", "12 size=5.0"].map(
      (record): [string, () => unknown, string] => [
        `a pax header of ${record}`,
        () => paxOverrides(Buffer.from(`${record}\n`), false),
        "a broken size",
      ],
    ),
    ["a size of blanks", () => decodeHeader(header("a", "0", " ".repeat(12)), {}), "a broken number"],
    ["a file by the name", () => decodeHeader(header("./", "2"), {}), "a link by the name"],
    ["a file that is the context", () => decodeHeader(header(".", "0"), {}), "a file by the name"],
    ["a file that must be a folder", () => decodeHeader(header("a/.", "0"), {}), '"a/.", a file by the name'],
    ...["b/", "b/."].map((target): [string, () => unknown, string] => [
      `a hard link to ${target}`,
      () => decodeHeader(header("a", "1"), { linkpath: Buffer.from(target) }),
      "a folder by its name",
    ]),
    ["a link to nothing", () => decodeHeader(header("a", "2"), {}), "a link without a target"],
    [
      "a NUL in a target",
      () => decodeHeader(header("a", "2"), { linkpath: Buffer.from("b\0c") }),
      "with a NUL in its target",
    ],
  ])("%s is refused", (_name, read, words) => {
    expect(read).toThrow(expect.objectContaining({ code: "archive_malformed" }));
    expect(read).toThrow(words);
  });
});
