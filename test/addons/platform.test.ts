import { describe, expect, test } from "bun:test";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";
import { askOf } from "../../src/addons/assigned/ask.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import {
  choosePlatform,
  fits,
  parsePlatform,
  platformOf,
  shownPlatform,
  type Platform,
} from "../../src/addons/assigned/platform.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { refusalOf } from "../trust/refusal.ts";

const amd64: Platform = { os: "linux", arch: "amd64" };
const musl: Platform = { ...amd64, libc: "musl" };
const glibc: Platform = { ...amd64, libc: "glibc" };
const arm64: Platform = { os: "linux", arch: "arm64" };
const mac: Platform = { os: "darwin", arch: "arm64" };

describe("which artifact is for a platform", () => {
  const chosen: [string[], Platform, string | null][] = [
    [["linux/amd64", "linux/arm64"], amd64, "linux/amd64"],
    [["linux/arm64"], amd64, null],
    [["linux/x86_64"], amd64, "linux/x86_64"],
    [["linux-amd64"], amd64, "linux-amd64"],
    [["Linux/AMD64"], amd64, "Linux/AMD64"],
    [["linux/x86_64", "linux/amd64"], amd64, "linux/amd64"],
    [["linux/arm64/v8"], arm64, "linux/arm64/v8"],
    [["linux/aarch64"], arm64, "linux/aarch64"],
    [["linux/arm", "linux/arm/v7"], arm64, null],
    [["linux/amd64/v3"], amd64, null],
    [["linux/amd64", "linux/amd64/musl"], musl, "linux/amd64/musl"],
    [["linux/amd64", "linux/amd64/musl"], glibc, "linux/amd64"],
    [["linux/amd64/musl"], glibc, null],
    [["linux/x86_64/gnu"], glibc, "linux/x86_64/gnu"],
    [["Linux/AMD64/Musl"], musl, "Linux/AMD64/Musl"],
    [["linux/x86_64"], musl, "linux/x86_64"],
    [["linux/amd64/undefined"], amd64, null],
    [["linux/amd64/musl"], amd64, "linux/amd64/musl"],
    [["darwin/universal"], mac, "darwin/universal"],
    [["darwin/universal", "macos/aarch64"], mac, "macos/aarch64"],
    [["darwin/universal"], arm64, null],
    [["", "linux", "linux/", "/amd64", "linux/amd64/musl/x"], amd64, null],
    [["darwin/universal/gnu", "macos/aarch64"], mac, "macos/aarch64"],
    [["__proto__", "constructor"], amd64, null],
    [["linux/amd64/constructor", "linux/constructor/v1", "constructor/amd64"], amd64, null],
    [[], amd64, null],
  ];
  test.each(chosen)("case 65: of %p for %p: %p", (names, platform, name) => {
    expect(choosePlatform(names, platform)).toBe(name);
  });

  const aliases: [string, string][] = [
    ["win32/x64", "windows/amd64"],
    ["win/x86-64", "windows/amd64"],
    ["macos/armv8", "darwin/arm64"],
    ["osx/aarch64", "darwin/arm64"],
    ["linux/ia32", "linux/386"],
    ["linux/i386", "linux/386"],
    ["linux/i686", "linux/386"],
    ["linux/x86", "linux/386"],
    ["linux/armhf", "linux/arm"],
    ["linux/armv6l", "linux/arm"],
    ["linux/armv7l", "linux/arm"],
    ["linux/arm/v6", "linux/arm"],
    ["linux/arm/v7", "linux/arm"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["freebsd/riscv64", "freebsd/riscv64"],
    ["linux/ppc64le", "linux/ppc64le"],
    ["linux/s390x", "linux/s390x"],
  ];
  test.each(aliases)("%s is %s", (text, wanted) => {
    expect(shownPlatform(parsePlatform(text, "--platform"))).toBe(wanted);
  });

  test("the names of a machine are read whatever their case", () => {
    expect(platformOf("SunOS", "X86_64")).toEqual({ os: "solaris", arch: "amd64" });
    expect(platformOf("win32", "arm64")).toEqual({ os: "windows", arch: "arm64" });
    expect(platformOf("Linux", "weird")).toEqual({ os: "linux", arch: "weird" });
  });

  test("the other name of a C library is its name", () => {
    expect(parsePlatform("linux/amd64/glibc", "--platform")).toEqual(glibc);
  });

  const strange = [
    "",
    "plan9/amd64",
    "linux/vax",
    "linux",
    "/amd64",
    "linux/",
    "linux/amd64/v9",
    "linux/amd64/v1/x",
    "linux/s390x/v1",
    "linux/amd64/musl/x",
    "linux/amd64/constructor",
    "linux/constructor/v1",
  ];
  test.each(strange)("%p is no platform", (text) => {
    let code: unknown;
    try {
      parsePlatform(text, "--platform");
    } catch (error) {
      code = (error as { code?: unknown }).code;
    }
    expect(code).toBe("invalid_value");
  });

  test("universal means every processor of one system, and no other word does", () => {
    expect(choosePlatform(["linux/universal"], amd64)).toBeNull();
    expect(choosePlatform(["darwin/amd64"], mac)).toBeNull();
    expect(fits("", "universal", mac)).toBe(true);
    // Only as the last word.
    expect(choosePlatform(["darwin/universal", "darwin-universal"], arm64)).toBeNull();
  });

  test("several other names for it are ambiguous", () => {
    const ambiguous = { code: "answer_ambiguous", message: expect.stringContaining("all mean linux/amd64") };
    expect(() => choosePlatform(["linux/x86_64", "linux-amd64"], amd64)).toThrow(
      expect.objectContaining(ambiguous),
    );
    const names = ["X64", "x64", "X86_64", "x86_64", "AMD64", "Amd64"].map((name) => `linux/${name}`);
    expect(refusalOf(() => choosePlatform(names, amd64)).message).toBe(
      '"linux/X64" and "linux/x64" and "linux/X86_64" and "linux/x86_64" and "linux/AMD64" all mean linux/amd64',
    );
  });

  const targets: [string, string, Platform, boolean][] = [
    ["", "", amd64, true],
    ["linux", "", amd64, true],
    ["", "x86_64", amd64, true],
    ["LINUX", "AMD64", amd64, true],
    ["windows", "amd64", amd64, false],
    ["darwin", "", amd64, false],
    ["linux", "arm64", amd64, false],
    ["linux", "amd64/musl", glibc, false],
    ["linux", "amd64/v9", amd64, false],
    ["linux", "constructor/v1", amd64, false],
  ];
  test.each(targets)("an artifact for %p/%p on %p: %p", (os, arch, platform, expected) => {
    expect(fits(os, arch, platform)).toBe(expected);
  });

  test("a platform from a flag", () => {
    expect(parsePlatform("Linux-x86_64", "--platform")).toEqual(amd64);
    expect(parsePlatform("linux/amd64/musl", "--platform")).toEqual(musl);
    expect(() => parsePlatform("linux/universal", "--platform")).toThrow("wanted os/arch");
  });
});

describe("a list for several platforms", () => {
  const ask = (members: Record<string, unknown>, platform: Platform): ReturnType<typeof askOf> => {
    const entry = { addon_id: "x", enabled: true, version: "1", ...members };
    const { assignments, refused } = decodeAssignments(JSON.stringify({ addons: [entry] }), {
      what: "l",
      code: "input_invalid",
    });
    const [assignment] = assignments;
    if (assignment === undefined) throw refused[0]?.failure ?? new Error("none");
    return askOf(assignment, platform, new Layout("/r", "waybill"));
  };
  const sha = sha256Of("1");
  const artifacts = {
    "linux/amd64": { object_key: "a", sha256: sha.toUpperCase() },
    "linux/arm64": { object_key: "b" },
  };

  test("gives the artifact of this one", () => {
    expect(ask({ artifacts }, amd64)).toMatchObject({
      kind: "artifact",
      wanted: { objectKey: "a", sha256: sha },
    });
  });
  test("case 66: an incomplete one is refused, and is no reason to run something else", () => {
    expect(ask({ artifacts, binary_path: "/usr/bin/x" }, arm64)).toMatchObject({
      kind: "refuse",
      failure: { code: "artifact_incomplete" },
    });
  });
  test("without one for this platform it is what is on the host, or nothing", () => {
    expect(ask({ artifacts, binary_path: "/usr/bin/x" }, mac)).toMatchObject({ kind: "use_host_binary" });
    expect(ask({ artifacts }, mac)).toMatchObject({
      kind: "refuse",
      failure: { code: "artifact_incomplete" },
    });
  });
  test("what is said for one platform wins", () => {
    expect(ask({ artifacts, artifact_object_key: "c", artifact_sha256: sha }, amd64)).toMatchObject({
      wanted: { objectKey: "c" },
    });
  });
});
