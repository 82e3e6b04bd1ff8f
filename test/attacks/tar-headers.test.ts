import { describe, expect, test } from "bun:test";
import { TarListing } from "../../src/addons/bundle/tar-listing.ts";
import { Failure } from "../../src/base/failure.ts";
import { paxRecord, tar, tarEntry, type TarEntry } from "../addons/tar.ts";

type Listed = { readonly code: string; readonly message: string; readonly files: readonly string[] };

/** What a listing says of an archive, fed in pieces of `step` bytes. */
function list(archive: Uint8Array, step = 700): Listed {
  const contents = new Map<string, string>();
  let current = "";
  const listing = new TarListing("x", {
    begin: ({ name }) => contents.set((current = name), ""),
    piece: (bytes) =>
      contents.set(current, (contents.get(current) ?? "") + Buffer.from(bytes).toString("latin1")),
    end: () => {},
  });
  try {
    for (let at = 0; at < archive.length; at += step) listing.update(archive.subarray(at, at + step));
    const files = listing.finish().map(({ name }) => `${name}=${contents.get(name) ?? "?"}`);
    return { code: "none", message: "", files };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, message: error.message, files: [] };
  }
}

const GOOD: TarEntry = { name: "x", data: "program" };
const base256 = (high: number, low: number): Uint8Array => {
  const field = Buffer.alloc(12);
  field[0] = high;
  field.writeUInt32BE(low, 8);
  return field;
};

describe("an archive that is taken", () => {
  const taken: [string, Uint8Array, readonly string[]][] = [
    ["POSIX", tar(GOOD), ["x=program"]],
    ["GNU", tar({ ...GOOD, magic: "ustar  \u0000" }), ["x=program"]],
    ["without a magic", tar({ ...GOOD, magic: "\u0000".repeat(8) }), ["x=program"]],
    ["the old type of a file", tar({ ...GOOD, type: "\u0000" }), ["x=program"]],
    ["several files, in their order", tar({ name: "b", data: "1" }, GOOD), ["b=1", "x=program"]],
    ["a file of exactly one block", tar({ name: "x", data: "y".repeat(512) }), [`x=${"y".repeat(512)}`]],
    [
      "times and owners in PAX notes",
      tar({ name: "p", type: "x", data: paxRecord("mtime", "1.5") + paxRecord("uname", "r") }, GOOD),
      ["x=program"],
    ],
    ["a size led by spaces", tar({ ...GOOD, size: "          7\0" }), ["x=program"]],
    ["a long padding", Buffer.concat([tar(GOOD), Buffer.alloc(10_240)]), ["x=program"]],
  ];
  test.each(taken)("%s", (_name, archive, files) => {
    for (const step of [1, 512, 700, archive.length])
      expect(list(archive, step)).toMatchObject({ code: "none", files });
  });
});

describe("an archive that is refused", () => {
  const unsafe: [string, Uint8Array, string][] = [
    ["an absolute name", tar({ ...GOOD, name: "/etc/x" }), "a flat, safe name"],
    ["a name that leads out", tar({ ...GOOD, name: "../x" }), "a flat, safe name"],
    ["a name in a folder", tar({ ...GOOD, name: "bin/x" }), "a flat, safe name"],
    ["./ before a name", tar({ ...GOOD, name: "./x" }), "a flat, safe name"],
    ["a backslash", tar({ ...GOOD, name: "a\\x" }), "a flat, safe name"],
    ["a line break", tar({ ...GOOD, name: "a\nx" }), "a flat, safe name"],
    ["no name", tar({ ...GOOD, name: "" }), "a flat, safe name"],
    ["a dot first", tar({ ...GOOD, name: ".waybill-addon.json" }), "a flat, safe name"],
    ["the kept artifact's name", tar({ ...GOOD, name: "artifact.tar.gz" }), "a flat, safe name"],
    ["the same in capitals", tar({ ...GOOD, name: "Artifact.tar.zst" }), "a flat, safe name"],
    ["a dash first", tar({ ...GOOD, name: "-rf" }), "a flat, safe name"],
    ["bytes beyond ASCII", tar({ ...GOOD, name: "x\u00e9" }), "a flat, safe name"],
    ["a name that goes on after its end", tar({ ...GOOD, name: "x\0y" }), "goes on after its end"],
    ["a prefix", tar({ ...GOOD, prefix: "bin" }), "a prefix"],
    ["GNU's own fields", tar({ ...GOOD, magic: "ustar  \u0000", prefix: "0000" }), "GNU fields"],
    ["a symbolic link", tar({ name: "x", type: "2", link: "/etc/passwd" }), "symbolic link"],
    ["a link and a file through it", tar({ name: "x", type: "2", link: "/tmp" }, GOOD), "symbolic link"],
    ["a hard link", tar(GOOD, { name: "y", type: "1", link: "/etc/passwd" }), "hard link"],
    ["a character device", tar({ name: "x", type: "3" }), "character device"],
    ["a block device", tar({ name: "x", type: "4" }), "block device"],
    ["a folder", tar({ name: "x", type: "5" }), "folder"],
    ["a FIFO", tar({ name: "x", type: "6" }), "FIFO"],
    ["a contiguous file", tar({ ...GOOD, type: "7" }), "contiguous"],
    ["a sparse file", tar({ ...GOOD, type: "S", magic: "ustar  \u0000" }), "sparse"],
    ["a GNU long name", tar({ name: "n", type: "L", data: "../../x\0" }, GOOD), "GNU long name"],
    ["a GNU long link", tar({ name: "n", type: "K", data: "/etc\0" }, GOOD), "GNU long link"],
    ["a volume label", tar({ name: "n", type: "V" }, GOOD), "volume label"],
    ["a type of nobody", tar({ ...GOOD, type: "Q" }), 'of type "Q"'],
    ["a path in PAX notes", tar({ name: "p", type: "x", data: paxRecord("path", "../y") }, GOOD), '"path"'],
    ["a size in PAX notes", tar({ name: "p", type: "x", data: paxRecord("size", "1") }, GOOD), '"size"'],
    [
      "a link in PAX notes",
      tar({ name: "p", type: "x", data: paxRecord("linkpath", "/") }, GOOD),
      '"linkpath"',
    ],
    ["a path for all files", tar({ name: "p", type: "g", data: paxRecord("path", "y") }, GOOD), '"path"'],
    [
      "a sparse map in PAX notes",
      tar({ name: "p", type: "x", data: paxRecord("GNU.sparse.name", "y") }, GOOD),
      "GNU.sparse",
    ],
    [
      "a charset in PAX notes",
      tar({ name: "p", type: "x", data: paxRecord("hdrcharset", "BINARY") }, GOOD),
      "hdrcharset",
    ],
    [
      "an attribute whose name has a NUL, where GNU tar stops",
      tar({ name: "p", type: "x", data: paxRecord("SCHILY.xattr.user.a\0b", "y") }, GOOD),
      "SCHILY.xattr.user.a",
    ],
    ["PAX notes of a wrong length", tar({ name: "p", type: "x", data: "99 mtime=1\n" }, GOOD), "malformed"],
    ["PAX notes without an end", tar({ name: "p", type: "x", data: "9 mtime=1" }, GOOD), "malformed"],
    ["a name twice", tar(GOOD, { ...GOOD, data: "other" }), "twice"],
    ["a name twice but for case", tar(GOOD, { ...GOOD, name: "X" }), "twice"],
    ["a negative size", tar({ ...GOOD, size: "-0000000007\0" }), "no octal"],
    ["a size with a letter", tar({ ...GOOD, size: "0000000000x\0" }), "no octal"],
    ["an empty size", tar({ ...GOOD, size: "\0".repeat(12) }), "no octal"],
    ["a size that goes on after its end", tar({ ...GOOD, size: "7\x000000000000" }), "no octal"],
    [
      "a size with a byte of base 256 in the middle",
      tar({ ...GOOD, size: "0000\u00800000007\0" }),
      "no octal",
    ],
    ["a size in base 256", tar({ ...GOOD, size: base256(0x80, 7) }), "base-256"],
    ["a negative size in base 256", tar({ ...GOOD, size: base256(0xff, 7) }), "base-256"],
    ["a wrong checksum", tar({ ...GOOD, checksum: "000001\0 " }), "checksum"],
    [
      "a checksum of signed bytes",
      tar({ ...GOOD, name: "x", spoil: (h) => h.fill(0xff, 500, 512), checksum: "000001\0 " }),
      "checksum",
    ],
    ["an unknown magic", tar({ ...GOOD, magic: "USTAR\u000000" }), "magic"],
    ["a padding with something in it", tar({ ...GOOD, padding: 1 }), "padding"],
    ["no end", tarEntry(GOOD), "without the two blocks"],
    ["half an end", Buffer.concat([tarEntry(GOOD), Buffer.alloc(512)]), "without the two blocks"],
    ["nothing", new Uint8Array(), "without the two blocks"],
    ["an end within a file", tarEntry(GOOD).subarray(0, 515), "without the two blocks"],
    ["an end within a block", Buffer.concat([tar(GOOD), Buffer.alloc(7)]), "within a block"],
    [
      "a file after a block of zeros",
      Buffer.concat([Buffer.alloc(512), tar(GOOD)]),
      "follows a block of zeros",
    ],
    ["a file after the end", Buffer.concat([tar(GOOD), tar({ name: "y" })]), "follows its end"],
    ["something after the end", Buffer.concat([tar(GOOD), Buffer.alloc(512, 7)]), "follows its end"],
  ];
  test.each(unsafe)("case 28: %s", (_name, archive, why) => {
    for (const step of [1, 700]) {
      const found = list(archive, step);
      expect(found).toMatchObject({ code: "tarball_unsafe" });
      expect(found.message).toContain(why);
    }
  });

  const large: [string, Uint8Array][] = [
    ["65 files", tar(...Array.from({ length: 65 }, (_, index) => ({ name: `f${index}` })))],
    ["a file above the ceiling", tar({ ...GOOD, size: "04000000001\0" })],
    ["a size of eight gibibytes less one", tar({ ...GOOD, size: "77777777777\0" })],
    ["a size in twelve digits", tar({ ...GOOD, size: "777777777777" })],
    ["large PAX notes", tar({ name: "p", type: "x", size: "00000200001\0" })],
    ["endless padding", Buffer.concat([tar(GOOD), Buffer.alloc(1_049_600)])],
  ];
  test.each(large)("%s", (_name, archive) => {
    expect(list(archive, 65_536)).toMatchObject({ code: "tarball_too_large" });
  });

  test("files that are too large only together", () => {
    const listing = new TarListing("a", { begin: () => {}, piece: () => {}, end: () => {} });
    const piece = Buffer.alloc(8_388_608);
    const size = `${(536_870_912).toString(8).padStart(11, "0")}\0`;
    const add = (name: string): void => {
      listing.update(tarEntry({ name, size }));
      for (let count = 0; count < 64; count++) listing.update(piece);
    };
    add("a");
    add("b");
    expect(() => listing.update(tarEntry({ name: "c", data: "1" }))).toThrow("more than 1073741824");
  });

  test("64 files, and without the program that was declared", () => {
    const names = Array.from({ length: 64 }, (_, index) => ({ name: `f${index}` }));
    expect(list(tar(...names), 65_536)).toMatchObject({ code: "tarball_binary_missing" });
    expect(list(tar({ name: "X", data: "1" }))).toMatchObject({ code: "tarball_binary_missing" });
  });
});
