import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const page = readFileSync(join(ROOT, "docs/dependencies.md"), "utf8");

/** The packages in the tables of one section, in the order of the page. */
function documented(section: string, text: string): string[] {
  const body = text.split(/^## /mu).find((part) => part.startsWith(`${section}\n`)) ?? "";
  return [...body.matchAll(/^\| `([^`]+)` \|/gmu)].map(([, name]) => name ?? "").sort();
}

describe("docs/dependencies.md", () => {
  test("names each package of the binary", () => {
    expect(documented("In the binary", page)).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test("names each package of the workshop", () => {
    expect(documented("For those who work on it", page)).toEqual(
      Object.keys(manifest.devDependencies).sort(),
    );
  });

  test("names files that exist, where something is written by hand", async () => {
    const paths = [...page.matchAll(/\(`(src\/[^`]+)`\)/gu)].map(([, path]) => path ?? "");
    expect(paths.length).toBeGreaterThan(5);
    const missing = paths.filter(
      (path) => [...new Bun.Glob(path).scanSync({ cwd: ROOT, onlyFiles: false })].length === 0,
    );
    expect(missing).toEqual([]);
  });

  test("would be seen to lack one", () => {
    expect(
      documented(
        "A",
        "# x\n\n## A\n\n| package |\n|---|\n| `b` | c |\n| `a/b` | c |\n\n## B\n\n| `d` | e |\n",
      ),
    ).toEqual(["a/b", "b"]);
    expect(documented("C", page)).toEqual([]);
  });
});

describe("package.json", () => {
  const all: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };
  test.each(Object.entries(all))("pins %s to one version: %s", (_name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/u);
  });

  test("has no other kind of dependency and runs nothing when it is installed", () => {
    expect(
      Object.keys(manifest)
        .filter((key) => /dependencies/iu.test(key))
        .sort(),
    ).toEqual(["dependencies", "devDependencies"]);
    expect(
      Object.keys(manifest.scripts).filter((name) => /^(?:pre|post|prepare|install)/u.test(name)),
    ).toEqual([]);
    expect(manifest.trustedDependencies).toBeUndefined();
  });

  test("has every package in the lock with a digest of its contents", () => {
    const lock = readFileSync(join(ROOT, "bun.lock"), "utf8");
    const packages = [...lock.matchAll(/^ {4}"[^"]+": \["([^"]+)@[^"@]+",.*\],?$/gmu)];
    expect(packages.length).toBeGreaterThanOrEqual(Object.keys(all).length);
    expect(
      packages.map(([line]) => line).filter((line) => !/"sha512-[A-Za-z0-9+/]{86}=="\],?$/u.test(line)),
    ).toEqual([]);
  });
});
