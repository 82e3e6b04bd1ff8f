import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { HEAD_BYTES, readExecutable } from "../../src/addons/bundle/executable.ts";
import { platformOf } from "../../src/addons/assigned/platform.ts";

const amd64 = { os: "linux", arch: "amd64" };

type Header = {
  machine: number;
  bits?: 32 | 64;
  big?: boolean;
  type?: number;
  interpreter?: string;
  /** Bytes of the whole file, and where its program headers begin. */
  size?: number;
  table?: number;
  /** Where the path of the interpreter begins, and how long it is said to be. */
  offset?: number;
  length?: number;
  count?: number;
};

function elf({ machine, bits = 64, big = false, type = 2, interpreter, ...more }: Header): Uint8Array {
  const { size = 512, table = 64, offset = 256, count = 2 } = more;
  const length = more.length ?? (interpreter ?? "").length + 1;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, big ? 2 : 1, 1]);
  view.setUint16(16, type, !big);
  view.setUint16(18, machine, !big);
  if (interpreter === undefined) return bytes;
  bytes.set(new TextEncoder().encode(interpreter), offset);
  const wide = bits === 64;
  if (wide) view.setBigUint64(32, BigInt(table), !big);
  else view.setUint32(28, table, !big);
  const entry = wide ? 56 : 32;
  view.setUint16(wide ? 54 : 42, entry, !big);
  view.setUint16(wide ? 56 : 44, count, !big);
  // A segment to load before the one with the path.
  const at = count > 1 ? table + entry : table;
  if (count > 1) view.setUint32(table, 1, !big);
  view.setUint32(at, 3, !big);
  if (wide) {
    view.setBigUint64(at + 8, BigInt(offset), !big);
    view.setBigUint64(at + 32, BigInt(length), !big);
  } else {
    view.setUint32(at + 4, offset, !big);
    view.setUint32(at + 16, length, !big);
  }
  return bytes;
}

describe("what runs on linux/amd64", () => {
  test("a script", () => {
    expect(readExecutable(Buffer.from("#!/bin/sh\necho hi\n"), amd64)).toEqual({
      runs: true,
      interpreter: "/bin/sh",
    });
    expect(readExecutable(Buffer.from("#! /usr/bin/env bash"), amd64)).toEqual({
      runs: true,
      interpreter: "/usr/bin/env",
    });
  });

  test("a static and a position-independent program", () => {
    expect(readExecutable(elf({ machine: 62 }), amd64)).toEqual({ runs: true, interpreter: null });
    expect(readExecutable(elf({ machine: 62, type: 3, interpreter: "/lib/ld-musl.so" }), amd64)).toEqual({
      runs: true,
      interpreter: "/lib/ld-musl.so",
    });
  });

  test.skipIf(process.platform !== "linux")("the program that runs this test", () => {
    const head = readFileSync(process.execPath).subarray(0, HEAD_BYTES);
    const read = readExecutable(head, platformOf(process.platform, process.arch));
    expect(read).toMatchObject({ runs: true, interpreter: expect.stringContaining("/ld-") });
  });

  const refused: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(), "it is empty"],
    ["one byte", Buffer.from("#"), "neither an ELF program nor a script"],
    ["what begins like a script by half", Buffer.from("#/bin/sh\n"), "neither an ELF program nor a script"],
    ["a page", Buffer.from("404 Not Found\n"), "neither an ELF program nor a script"],
    ["a script without #!", Buffer.from("echo hi\n"), "neither an ELF program nor a script"],
    ["a relative interpreter", Buffer.from("#!sh\n"), "no absolute path"],
    ["an empty #! line", Buffer.from("#!\n/bin/sh"), "no absolute path"],
    ["arm64", elf({ machine: 183 }), "for arm64, not for amd64"],
    ["the 32-bit class", elf({ machine: 62, bits: 32 }), "machine 62, 32 bits"],
    ["the other byte order", elf({ machine: 62, big: true }), "for machine 62, 64 bits, not for amd64"],
    ["no machine that anybody knows", elf({ machine: 9 }), "for machine 9, 64 bits, not for amd64"],
    ["an object file", elf({ machine: 62, type: 1 }), "no program"],
    ["half a header", elf({ machine: 62 }).subarray(0, 20), "cut off"],
    ["a header without its last byte", elf({ machine: 62 }).subarray(0, 63), "cut off"],
    ["a gzip file", Buffer.from([0x1f, 0x8b, 8, 0]), "gzip file"],
  ];
  test.each(refused)("case 46: not %s", (_name, head, why) => {
    expect(readExecutable(head, amd64)).toMatchObject({ runs: false, why: expect.stringContaining(why) });
  });

  test("a program that is a header and no more", () => {
    expect(readExecutable(elf({ machine: 62, size: 64 }), amd64)).toEqual({ runs: true, interpreter: null });
  });

  test("the interpreter of a script as the kernel reads it, with a carriage return", () => {
    expect(readExecutable(Buffer.from("#! \t/bin/sh\r\n"), amd64)).toEqual({
      runs: true,
      interpreter: "/bin/sh\r",
    });
    expect(readExecutable(Buffer.from("#!/bin/sh -e\r\n"), amd64)).toEqual({
      runs: true,
      interpreter: "/bin/sh",
    });
  });

  test("of the first line of a script as much as Linux reads", () => {
    const long = `/${"a".repeat(300)}`;
    expect(readExecutable(Buffer.from(`#!${long}\n`), amd64)).toEqual({
      runs: true,
      interpreter: long.slice(0, 254),
    });
    expect(HEAD_BYTES).toBe(65_536);
  });

  const loader = { machine: 62, interpreter: "/lib/ld.so" };
  const path = (length: number): string => `/${"l".repeat(length - 1)}`;
  const loaders: [string, Header, string | null][] = [
    ["has its headers at the very end", { ...loader, count: 1, table: 512 - 56 }, "/lib/ld.so"],
    ["has no program headers", { ...loader, count: 0 }, null],
    ["has a path at the very end", { ...loader, offset: 512 - 11 }, "/lib/ld.so"],
    ["has a path behind its end", { ...loader, offset: 512 - 10 }, null],
    ["has the shortest path", { ...loader, interpreter: "/" }, "/"],
    ["has an empty path", { ...loader, length: 1 }, null],
    ["has no path", { ...loader, length: 0 }, null],
    ["has the longest path", { ...loader, size: 8_192, interpreter: path(4_095) }, path(4_095)],
    ["has a path that is too long", { ...loader, size: 8_192, interpreter: path(4_096) }, null],
  ];
  test.each(loaders)("a program that %s", (_what, header, interpreter) => {
    expect(readExecutable(elf(header), amd64)).toEqual({ runs: true, interpreter });
  });

  test("program headers that begin before the end and go on behind it", () => {
    const bytes = elf({ ...loader, count: 1, table: 512 - 56 });
    for (const size of [511, 500, 457])
      expect(readExecutable(bytes.slice(0, size), amd64)).toEqual({ runs: true, interpreter: null });
  });

  test("program headers that lead nowhere are no crash", () => {
    const bytes = elf({ machine: 62, interpreter: "/lib/x" });
    new DataView(bytes.buffer).setBigUint64(32, 0xffff_ffff_ffff_fff0n, true);
    expect(readExecutable(bytes, amd64)).toEqual({ runs: true, interpreter: null });
  });
});

describe("what runs elsewhere", () => {
  const machines: [string, number, 32 | 64, boolean][] = [
    ["amd64", 62, 64, false],
    ["arm64", 183, 64, false],
    ["386", 3, 32, false],
    ["arm", 40, 32, false],
    ["riscv64", 243, 64, false],
    ["ppc64le", 21, 64, false],
    ["s390x", 22, 64, true],
  ];
  test.each(machines)(
    "an ELF program for %s has the machine %i, %i bits, most significant byte first: %p",
    (arch, machine, bits, big) => {
      const program = elf({ machine, bits, big, interpreter: "/lib/ld.so" });
      expect(readExecutable(program, { os: "linux", arch })).toEqual({
        runs: true,
        interpreter: "/lib/ld.so",
      });
      const other = machines.find(([name]) => name !== arch)?.[0] ?? "";
      expect(readExecutable(program, { os: "linux", arch: other })).toEqual({
        runs: false,
        why: `it is an ELF program for ${arch}, not for ${other}`,
      });
    },
  );

  test("no ELF program on a processor that nobody knows", () => {
    expect(readExecutable(elf({ machine: 8 }), { os: "linux", arch: "mips" })).toEqual({
      runs: false,
      why: "waybill does not know ELF programs of linux/mips",
    });
  });

  const windows = { os: "windows", arch: "amd64" };
  test("a Windows program, and no script", () => {
    expect(readExecutable(Buffer.from("MZ"), windows)).toEqual({ runs: true, interpreter: null });
    for (const text of ["MX", "#!/bin/sh\n"])
      expect(readExecutable(Buffer.from(text), windows)).toEqual({
        runs: false,
        why: "it is no Windows program",
      });
  });

  const [amd, arm] = [
    [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1],
    [0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1],
  ] as const;
  const programs: [string, readonly number[], string, boolean][] = [
    ["a program for amd64", amd, "amd64", true],
    ["a program for arm64", arm, "arm64", true],
    ["a program for amd64", amd, "arm64", false],
    ["a program of another kind", [1, ...amd.slice(1)], "amd64", false],
    ["a program for nobody", amd, "386", false],
    ["a universal program", [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2], "arm64", true],
  ];
  test.each(programs)("%s (%p) on darwin/%s: %p", (_what, head, arch, runs) => {
    const found = readExecutable(new Uint8Array(head), { os: "darwin", arch });
    expect(found).toEqual(
      runs ? { runs, interpreter: null } : { runs, why: `it is no Mach-O program for ${arch}` },
    );
    expect(readExecutable(new Uint8Array(head.slice(0, 7)), { os: "darwin", arch })).toEqual({
      runs: false,
      why: "it is too short for a program",
    });
  });

  test("a script on darwin", () => {
    expect(readExecutable(Buffer.from("#!/bin/sh\n"), { os: "darwin", arch: "arm64" })).toEqual({
      runs: true,
      interpreter: "/bin/sh",
    });
  });
});
