import { describe, expect, test } from "bun:test";
import { checkNotes, readTarHeader } from "../../src/addons/bundle/tar-header.ts";
import { paddingOf, writeTarHeader } from "../../src/addons/bundle/tar-writer.ts";
import { refusalOf } from "../trust/refusal.ts";
import { paxRecord, tarEntry, type TarEntry } from "./tar.ts";

const GOOD: TarEntry = { name: "x", data: "program" };

describe("a header", () => {
  const header = (entry: TarEntry): Uint8Array => tarEntry(entry).subarray(0, 512);

  test("is a file, notes or zeros", () => {
    expect(readTarHeader(header(GOOD))).toEqual({ kind: "file", name: "x", size: 7 });
    for (const type of ["x", "g"])
      expect(readTarHeader(header({ name: "p", type, data: "1234" }))).toEqual({ kind: "notes", size: 4 });
    expect(readTarHeader(new Uint8Array(512))).toEqual({ kind: "zeros" });
  });

  test("has a name of a hundred letters, to the end of its field", () => {
    const name = "a".repeat(100);
    expect(readTarHeader(header({ name }))).toEqual({ kind: "file", name, size: 0 });
  });

  test("has a file of as many bytes as are taken", () => {
    expect(readTarHeader(header({ name: "x", size: "00000000144\0" }), 100)).toMatchObject({ size: 100 });
    expect(refusalOf(() => readTarHeader(header({ name: "x", size: "00000000145\0" }), 100)).code).toBe(
      "tarball_too_large",
    );
    expect(readTarHeader(header({ name: "x", size: "04000000000\0" }))).toMatchObject({ size: 536_870_912 });
    expect(readTarHeader(header({ name: "p", type: "x", size: "00000200000\0" }))).toEqual({
      kind: "notes",
      size: 65_536,
    });
  });

  const GNU = "ustar  \0";
  const at =
    (...places: number[]) =>
    (bytes: Buffer): void =>
      void places.map((place) => bytes.writeUInt8(1, place));
  const spoilt: [string, TarEntry, boolean][] = [
    ["POSIX, with something at 344", { ...GOOD, spoil: at(344) }, true],
    ["POSIX, with something at 345", { ...GOOD, spoil: at(345) }, false],
    ["POSIX, with something at 499", { ...GOOD, spoil: at(499) }, false],
    ["POSIX, with something at 500 and 511", { ...GOOD, spoil: at(500, 511) }, true],
    ["GNU, with something at 345", { ...GOOD, magic: GNU, spoil: at(345) }, false],
    ["GNU, with something at 507", { ...GOOD, magic: GNU, spoil: at(507) }, false],
    ["GNU, with something at 508", { ...GOOD, magic: GNU, spoil: at(508) }, true],
    [
      "a sum of six digits, by what nobody looks at",
      { ...GOOD, spoil: (bytes) => bytes.fill(0xff, 157, 257).fill(0xff, 265, 345) },
      true,
    ],
  ];
  test.each(spoilt)("%s is taken: %p", (_what, entry, isTaken) => {
    if (isTaken) expect(readTarHeader(header(entry))).toMatchObject({ kind: "file", name: "x" });
    else expect(refusalOf(() => readTarHeader(header(entry))).code).toBe("tarball_unsafe");
  });

  const base256 = new Uint8Array([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  const octal = "a size that is no octal number";
  const refused: [string, TarEntry, string][] = [
    ["a wrong sum", { ...GOOD, checksum: "000001\0 " }, "a header has a wrong checksum"],
    ["no sum", { ...GOOD, checksum: "\0\0\0\0\0\0\0\0" }, "a header has a wrong checksum"],
    ["a link", { ...GOOD, type: "2" }, '"x" is a symbolic link; wanted regular files only'],
    ["a contiguous file", { ...GOOD, type: "7" }, '"x" is a contiguous file; wanted'],
    ["a type of nobody", { ...GOOD, type: "Q" }, '"x" is of type "Q"; wanted'],
    ["a prefix", { ...GOOD, prefix: "bin" }, '"x" has a prefix beside its name; wanted flat names'],
    ["fields of GNU", { ...GOOD, magic: GNU, prefix: "0000" }, '"x" has GNU fields beside its name'],
    ["a name that leads out", { ...GOOD, name: "../x" }, 'a file is called "../x"; wanted a flat, safe name'],
    ["an unknown magic", { ...GOOD, magic: "USTAR\u000000" }, "which is no tar format that is taken"],
    ["a magic that is half gone", { ...GOOD, magic: "\0\0\0\0\0\0\u000000" }, "which is no tar format"],
    ["a name that goes on", { ...GOOD, name: "x\0y" }, "a name goes on after its end"],
    ["a name that goes on at the end", { ...GOOD, spoil: at(99) }, "a name goes on after its end"],
    ["a size in base 256", { ...GOOD, size: base256 }, '"x" has a base-256 size'],
    ["a size with such a byte in it", { ...GOOD, size: "0000\u00800000007\0" }, octal],
    ["no size", { ...GOOD, size: "\0".repeat(12) }, octal],
    ["a negative size", { ...GOOD, size: "-0000000007\0" }, octal],
    ["a size with a letter before it", { ...GOOD, size: "x0000000007\0" }, octal],
    ["a size that goes on", { ...GOOD, size: "7\x000000000000" }, octal],
  ];
  test.each(refused)("with %s is refused", (_what, entry, why) => {
    const refusal = refusalOf(() => readTarHeader(header(entry)));
    expect([refusal.code, refusal.message]).toEqual(["tarball_unsafe", expect.stringContaining(why)]);
  });

  const taken: [string, TarEntry, number][] = [
    ["a magic of GNU", { ...GOOD, magic: GNU }, 7],
    ["no magic", { ...GOOD, magic: "\0".repeat(8) }, 7],
    ["the old type", { ...GOOD, type: "\0" }, 7],
    ["a size led by spaces", { ...GOOD, size: "          7\0" }, 7],
    ["a size ended by spaces", { ...GOOD, size: "7  \0\0\0\0\0\0\0\0 " }, 7],
    ["a size to the end of its field", { ...GOOD, size: "000000000007" }, 7],
  ];
  test.each(taken)("with %s is a file", (_what, entry, size) => {
    expect(readTarHeader(header(entry))).toEqual({ kind: "file", name: "x", size });
  });

  test("of notes that are too large is refused", () => {
    const refusal = refusalOf(() => readTarHeader(header({ name: "p", type: "x", size: "00000200001\0" })));
    expect([refusal.code, refusal.message]).toEqual([
      "tarball_too_large",
      "the bundle is refused: a PAX header has 65537 bytes; at most 65536 are read",
    ]);
  });

  test("of ours is one of theirs, with zeros to the end of the block", () => {
    for (const size of [0, 1, 511, 512, 513, 8_589_934_591]) {
      expect(readTarHeader(writeTarHeader("name", size), size)).toEqual({ kind: "file", name: "name", size });
      expect(paddingOf(size).every((byte) => byte === 0)).toBe(true);
      expect([(size + paddingOf(size).length) % 512, paddingOf(size).length < 512]).toEqual([0, true]);
    }
    const fields = { name: "x", data: "program", mode: "0000644\0" };
    expect(Buffer.from(writeTarHeader("x", 7))).toEqual(Buffer.from(header(fields)));
  });
});

describe("PAX notes", () => {
  const notes = (text: string): Uint8Array => Buffer.from(text, "latin1");
  const known =
    "mtime atime ctime uid gid uname gname comment LIBARCHIVE.creationtime LIBARCHIVE.xattr.user.a SCHILY.dev SCHILY.ino SCHILY.nlink SCHILY.fflags SCHILY.xattr.a";
  test.each(known.split(" "))("may say %s", (key) => {
    expect(() =>
      checkNotes(notes(paxRecord("mtime", "1") + paxRecord(key, "\u00e9=\n") + paxRecord("uid", "1"))),
    ).not.toThrow();
  });

  test.each([
    "mtime2",
    "my.mtime",
    "LIBARCHIVE.xattr.",
    "SCHILY.xattr.",
    "SCHILY.acl.access",
    "SCHILY.devices",
  ])("may not say %s", (key) => {
    const refusal = refusalOf(() => checkNotes(notes(paxRecord(key, "1"))));
    expect([refusal.code, refusal.message]).toEqual([
      "tarball_unsafe",
      `the bundle is refused: a PAX header sets "${key}", which readers differ in`,
    ]);
  });

  test.each([
    ["no length", "mtime=1\n"],
    ["something before its length", "x12 mtime=1\n"],
    ["a length of nothing", "0 mtime=1\n"],
    ["a length behind its end", "12 mtime=1\n"],
    ["a length within it", "10 mtime=1\n"],
    ["no value", "6 uid\n"],
    ["a name with a line break", `${paxRecord("uid", "1")}9 a\nb=1\n`],
    ["something behind it", `${paxRecord("uid", "1")}x`],
  ])("with %s are malformed", (_what, text) => {
    const refusal = refusalOf(() => checkNotes(notes(text)));
    expect([refusal.code, refusal.message]).toEqual([
      "tarball_unsafe",
      "the bundle is refused: a PAX header is malformed",
    ]);
  });
});
