import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** An operating system and a processor in the names that Go uses: `linux`, `amd64`. */
export type Platform = { readonly os: string; readonly arch: string };

const NODE_OS: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };
const OTHER_NAMES: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  aarch64: "arm64",
  ia32: "386",
  i386: "386",
};
const OSES = new Set(["linux", "darwin", "windows", "freebsd"]);
const ARCHES = new Set(["amd64", "arm64", "386", "arm", "riscv64", "ppc64le", "s390x"]);

/** The machine that a process runs on, from `process.platform` and `process.arch`. */
export function platformOf(processPlatform: string, processArch: string): Platform {
  return {
    os: NODE_OS[processPlatform] ?? processPlatform,
    arch: OTHER_NAMES[processArch] ?? processArch,
  };
}

/** `os/arch` from a flag. The names of uname and Node are taken as well. Throws Failure `invalid_value`. */
export function parsePlatform(text: string, from: string): Platform {
  const [os = "", arch = "", ...rest] = text.split("/");
  const platform = platformOf(os, arch);
  if (rest.length === 0 && OSES.has(platform.os) && ARCHES.has(platform.arch)) return platform;
  throw new Failure("invalid_value", `${from} is ${quoted(text)}; wanted os/arch, such as linux/amd64`, {
    hint: `systems: ${[...OSES].join(", ")}; processors: ${[...ARCHES].join(", ")}`,
  });
}

export function shownPlatform(platform: Platform): string {
  return `${platform.os}/${platform.arch}`;
}

/** Whether an artifact for this target may run here. An empty part was not said and fits everywhere. */
export function fits(targetOs: string, targetArch: string, platform: Platform): boolean {
  const target = platformOf(targetOs, targetArch);
  return (
    (target.os === "" || target.os === platform.os) && (target.arch === "" || target.arch === platform.arch)
  );
}
