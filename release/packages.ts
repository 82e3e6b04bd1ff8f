import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./targets.ts";

/** A package whose code is inside the binary. */
export type InnerPackage = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** The text of its licence file. */
  readonly text: string;
  /** base64, as bun.lock has it. */
  readonly sha512: string;
  readonly dependencies: readonly string[];
};

type Entry = readonly [string, string, { readonly dependencies?: Record<string, string> }, string];
type Lock = { readonly packages: Readonly<Record<string, Entry>> };

const LICENCE_FILE = /^(?:licen[cs]e|copying|unlicen[cs]e)(?:\.|$)/iu;

export function readLock(): Lock {
  return Bun.JSONC.parse(readFileSync(join(ROOT, "bun.lock"), "utf8")) as Lock;
}

/** The packages that package.json's `dependencies` reach, by bun.lock, in the order of their names. */
export function innerPackages(): InnerPackage[] {
  const { packages } = readLock();
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const reached = new Set<string>();
  const waiting = Object.keys(manifest.dependencies);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    waiting.push(...Object.keys(entryOf(packages, name)[2].dependencies ?? {}));
  }
  return [...reached].sort().map((name) => {
    const [id, , { dependencies = {} }, integrity] = entryOf(packages, name);
    const folder = join(ROOT, "node_modules", name);
    const { license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = existsSync(folder) ? readdirSync(folder).find((one) => LICENCE_FILE.test(one)) : undefined;
    return {
      name,
      version: id.slice(id.lastIndexOf("@") + 1),
      licence: typeof license === "string" ? license : "NONE",
      text: file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim(),
      sha512: integrity.replace(/^sha512-/u, ""),
      dependencies: Object.keys(dependencies).sort(),
    };
  });
}

function entryOf(packages: Lock["packages"], name: string): Entry {
  const entry = packages[name];
  if (entry === undefined) throw new Error(`bun.lock has no ${name}`);
  return entry;
}

/** What Bun says about its own licence and those of the libraries inside it. */
export function runtimeLicence(): string {
  return readFileSync(join(ROOT, "node_modules/bun-types/docs/project/license.mdx"), "utf8")
    .replace(/^---.*?---\n/su, "")
    .trim();
}

/** The libraries that Bun links, from its page: name and licence in words. */
export function runtimeLibraries(): { readonly name: string; readonly licence: string }[] {
  return [...runtimeLicence().matchAll(/^\| (.+?) +\| (.+?) +\|$/gmu)].flatMap(
    ([, first = "", second = ""]) => {
      const plain = (text: string): string => text.replaceAll(/\[`?([^\]`]+)`?\]\([^)]*\)/gu, "$1").trim();
      return /^-+$|^(?:Library|Package)$/u.test(first.trim())
        ? []
        : [{ name: plain(first), licence: plain(second) }];
    },
  );
}
