import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";

/** The C library that dynamic programs of a Linux host are linked against. */
export type Libc = "glibc" | "musl";

/** An operating system and a processor in the names that Go uses: `linux`, `amd64`. */
export type Platform = {
  readonly os: string;
  readonly arch: string;
  /** Only of this machine, and only when it was found out. */
  readonly libc?: Libc | undefined;
};

/** Looked up by what others wrote: `constructor` is in every object, and in no table. */
function tableOf<T = string>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries));
}

/** Every other name that is understood, in lower case. `docs/addons.md` has this table. */
const OS_ALIASES = tableOf({
  win32: "windows",
  win: "windows",
  sunos: "solaris",
  macos: "darwin",
  osx: "darwin",
});
const ARCH_ALIASES = tableOf({
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armv8: "arm64",
  ia32: "386",
  i386: "386",
  i686: "386",
  x86: "386",
  armhf: "arm",
  armv6l: "arm",
  armv7l: "arm",
});
/** What may follow a processor: the variants that are taken for all of it, and else a C library. */
const VARIANTS = tableOf<readonly string[]>({
  arm64: ["v8"],
  amd64: ["v1"],
  arm: ["v6", "v7"],
});
const LIBCS = tableOf<Libc>({ gnu: "glibc", glibc: "glibc", musl: "musl" });

/** Every processor of a system, in one file. */
const UNIVERSAL = "universal";

const OSES = new Set(["linux", "darwin", "windows", "freebsd"]);
const ARCHES = new Set(["amd64", "arm64", "386", "arm", "riscv64", "ppc64le", "s390x"]);

/** The machine that a process runs on, from `process.platform` and `process.arch`, or any names of the tables. */
export function platformOf(os: string, arch: string): Platform {
  const [system, processor] = [os.toLowerCase(), arch.toLowerCase()];
  return { os: OS_ALIASES.get(system) ?? system, arch: ARCH_ALIASES.get(processor) ?? processor };
}

/** `os/arch` from a flag. The names of uname and Node are taken as well. Throws Failure `invalid_value`. */
export function parsePlatform(text: string, from: string): Platform {
  const named = readName(text);
  if (named !== null && OSES.has(named.os) && ARCHES.has(named.arch)) {
    return { os: named.os, arch: named.arch, ...(named.libc === null ? {} : { libc: named.libc }) };
  }
  throw new Failure("invalid_value", `${from} is ${quoted(text)}; wanted os/arch, such as linux/amd64`, {
    hint: `systems: ${[...OSES].join(", ")}; processors: ${[...ARCHES].join(", ")}`,
  });
}

export function shownPlatform(platform: Platform): string {
  return `${platform.os}/${platform.arch}`;
}

/** Whether an artifact for this target may run here. An empty part was not said and fits everywhere. */
export function fits(targetOs: string, targetArch: string, platform: Platform): boolean {
  const named = readName(`${targetOs || platform.os}/${targetArch || platform.arch}`);
  return named !== null && runsOn(named, platform);
}

/**
 * The one of these names that is for the platform: its own name with the host's C library, else its own name, else
 * the only other name that means it. null when none does. Throws Failure `answer_ambiguous` when several do.
 */
export function choosePlatform(names: readonly string[], platform: Platform): string | null {
  const own = shownPlatform(platform);
  const exact = [...(platform.libc === undefined ? [] : [`${own}/${platform.libc}`]), own];
  const found = exact.find((name) => names.includes(name));
  if (found !== undefined) return found;
  const others = names.flatMap((name) => {
    const named = readName(name);
    return named !== null && runsOn(named, platform) ? [{ name, arch: named.arch }] : [];
  });
  const special = others.filter(({ arch }) => arch !== UNIVERSAL);
  const [only, ...rest] = special.length > 0 ? special : others;
  if (rest.length === 0) return only?.name ?? null;
  throw new Failure(
    "answer_ambiguous",
    `${others
      .slice(0, 5)
      .map(({ name }) => quoted(name, 60))
      .join(" and ")} all mean ${own}`,
    {
      hint: `name one of them ${own}`,
    },
  );
}

type Named = { readonly os: string; readonly arch: string; readonly libc: Libc | null };

function readName(text: string): Named | null {
  const parts = text.toLowerCase().split(text.includes("/") ? "/" : "-");
  const [os = "", arch = "", more, ...rest] = parts;
  const platform = platformOf(os, arch);
  const libc = more === undefined ? null : (LIBCS.get(more) ?? null);
  const known = more === undefined || libc !== null || VARIANTS.get(platform.arch)?.includes(more) === true;
  return rest.length === 0 && known ? { ...platform, libc } : null;
}

function runsOn(named: Named, platform: Platform): boolean {
  const universal = named.os === "darwin" && named.arch === UNIVERSAL;
  const libc = named.libc === null || platform.libc === undefined || named.libc === platform.libc;
  return named.os === platform.os && (universal || named.arch === platform.arch) && libc;
}
