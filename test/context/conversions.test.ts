import { expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { blobId, conversionOf, lfsPointer } from "../../src/context/conversions.ts";

const bytes = (text: string, encoding: BufferEncoding = "utf8"): Uint8Array =>
  new Uint8Array(Buffer.from(text, encoding));

const CASES: readonly {
  readonly name: string;
  readonly content: Uint8Array;
  readonly committed: string;
  readonly found: "eol_only" | "filter_only" | null;
}[] = [
  { name: "CRLF for LF", content: bytes("a\r\nb\r\n"), committed: "a\nb\n", found: "eol_only" },
  { name: "CRLF for some", content: bytes("a\r\nb\n"), committed: "a\nb\n", found: "eol_only" },
  { name: "LF for a committed CRLF", content: bytes("a\n"), committed: "a\r\n", found: null },
  { name: "a lone return", content: bytes("a\rb"), committed: "a\nb", found: null },
  {
    name: "an expanded $Id$",
    content: bytes("x $Id: 0123abc $ y"),
    committed: "x $Id$ y",
    found: "filter_only",
  },
  {
    name: "an expanded $Id$ and CRLF",
    content: bytes("$Id: 0123abc $\r\n"),
    committed: "$Id$\n",
    found: "filter_only",
  },
  { name: "an $Id over two lines", content: bytes("$Id: a\nb $"), committed: "$Id$", found: null },
  {
    name: "UTF-16 with a mark",
    content: bytes("\ufeffa\u00e9\n", "utf16le"),
    committed: "a\u00e9\n",
    found: "filter_only",
  },
  {
    name: "UTF-16 without a mark",
    content: bytes("a\u00e9\n", "utf16le"),
    committed: "a\u00e9\n",
    found: "filter_only",
  },
  {
    name: "big-endian UTF-16",
    content: new Uint8Array(Buffer.from("\ufeffa\r\n", "utf16le").swap16()),
    committed: "a\n",
    found: "filter_only",
  },
  { name: "another content", content: bytes("a\r\nc\n"), committed: "a\nb\n", found: null },
  { name: "the same content", content: bytes("a\n"), committed: "a\n", found: null },
  { name: "bytes that are no text", content: new Uint8Array([0, 255, 13, 10]), committed: "x", found: null },
];

for (const format of ["sha1", "sha256"] as const) {
  test.each(CASES)(`$name, in ${format}`, ({ content, committed, found }) => {
    expect(conversionOf(content, blobId(bytes(committed), format), format)).toBe(found);
  });
}

test("a pointer of Git LFS has the bytes that its specification gives", () => {
  const content = bytes("large\n");
  expect(Buffer.from(lfsPointer(sha256Of(content), content.length)).toString()).toBe(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256Of(content)}\nsize 6\n`,
  );
});

test("a blob has the id that git gives it", () => {
  expect(blobId(bytes(""), "sha1")).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
});
