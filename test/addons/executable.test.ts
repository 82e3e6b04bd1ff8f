import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { HEAD_BYTES, readExecutable } from "../../src/addons/bundle/executable.ts";
import { fits, parsePlatform, platformOf, shownPlatform } from "../../src/addons/assigned/platform.ts";

const amd64 = { os: "linux", arch: "amd64" };

type Header = { machine: number; bits?: 32 | 64; big?: boolean; type?: number; interpreter?: string };

function elf({ machine, bits = 64, big = false, type = 2, interpreter }: Header): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, big ? 2 : 1, 1]);
  view.setUint16(16, type, !big);
  view.setUint16(18, machine, !big);
  if (interpreter !== undefined) {
    view.setBigUint64(32, 64n, !big);
    view.setUint16(54, 56, !big);
    view.setUint16(56, 1, !big);
    view.setUint32(64, 3, !big);
    view.setBigUint64(64 + 8, 256n, !big);
    view.setBigUint64(64 + 32, BigInt(interpreter.length + 1), !big);
    bytes.set(new TextEncoder().encode(interpreter), 256);
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
    ["a page", Buffer.from("404 Not Found\n"), "neither an ELF program nor a script"],
    ["a script without #!", Buffer.from("echo hi\n"), "neither an ELF program nor a script"],
    ["a relative interpreter", Buffer.from("#!sh\n"), "no absolute path"],
    ["an empty #! line", Buffer.from("#!\n/bin/sh"), "no absolute path"],
    ["arm64", elf({ machine: 183 }), "for arm64, not for amd64"],
    ["the 32-bit class", elf({ machine: 62, bits: 32 }), "machine 62, 32 bits"],
    ["the other byte order", elf({ machine: 62, big: true }), "not for amd64"],
    ["an object file", elf({ machine: 62, type: 1 }), "no program"],
    ["half a header", elf({ machine: 62 }).subarray(0, 20), "cut off"],
    ["a gzip file", Buffer.from([0x1f, 0x8b, 8, 0]), "gzip file"],
  ];
  test.each(refused)("case 46: not %s", (_name, head, why) => {
    expect(readExecutable(head, amd64)).toMatchObject({ runs: false, why: expect.stringContaining(why) });
  });

  test("program headers that lead nowhere are no crash", () => {
    const bytes = elf({ machine: 62, interpreter: "/lib/x" });
    new DataView(bytes.buffer).setBigUint64(32, 0xffff_ffff_ffff_fff0n, true);
    expect(readExecutable(bytes, amd64)).toEqual({ runs: true, interpreter: null });
  });
});

describe("platforms", () => {
  test("names of Node and uname become those of Go", () => {
    expect(shownPlatform(platformOf("linux", "x64"))).toBe("linux/amd64");
    expect(shownPlatform(platformOf("win32", "arm64"))).toBe("windows/arm64");
    expect(shownPlatform(parsePlatform("linux/x86_64", "--platform"))).toBe("linux/amd64");
  });

  test.each(["", "linux", "linux/", "/amd64", "linux/amd64/v9", "linux/amd64/v1/x", "plan9/amd64"])(
    "refused: %p",
    (text) => {
      expect(() => parsePlatform(text, "--platform")).toThrow(
        expect.objectContaining({ code: "invalid_value" }),
      );
    },
  );

  test("a target that says only a part", () => {
    expect(fits("", "", amd64)).toBe(true);
    expect(fits("linux", "", amd64)).toBe(true);
    expect(fits("linux", "x86_64", amd64)).toBe(true);
    expect(fits("linux", "arm64", amd64)).toBe(false);
    expect(fits("darwin", "", amd64)).toBe(false);
  });
});
