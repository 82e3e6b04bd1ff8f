import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ALLOWED } from "./licences.ts";
import { innerPackages, readLock } from "./packages.ts";
import { run, type Source } from "./source.ts";
import { ROOT, TABLE, TARGETS } from "./targets.ts";

/** A condition of a release. `find` says what is wrong, or null. */
export type Check = {
  readonly name: string;
  /** A rehearsal goes on without it. */
  readonly rehearsed?: true;
  readonly find: (source: Source) => string | null;
};

const TOOLS = ["git", "xz", "dpkg-deb", "readelf"];

/** In the order in which they are told; each is found by itself, so all faults are known at once. */
export const CHECKS: readonly Check[] = [
  {
    name: "clean-tree",
    rehearsed: true,
    find: ({ changed }) =>
      changed.length === 0
        ? null
        : `${changed.length} paths differ from the commit: ${changed.slice(0, 5).join(", ")}`,
  },
  {
    name: "changelog-dated",
    rehearsed: true,
    find: ({ version }) =>
      new RegExp(`^## ${version.replaceAll(".", "\\.")} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, "mu").test(
        readFileSync(join(ROOT, "CHANGELOG.md"), "utf8"),
      )
        ? null
        : `CHANGELOG.md has no line "## ${version} (YYYY-MM-DD)"`,
  },
  {
    name: "version-new",
    rehearsed: true,
    find: ({ version, commit }) => {
      const tagged = run([
        "git",
        "for-each-ref",
        "--format=%(*objectname)%(objectname)",
        `refs/tags/v${version}`,
      ]);
      return tagged === "" || tagged.startsWith(commit) ? null : `the tag v${version} is on another commit`;
    },
  },
  {
    name: "pages-generated",
    find: () =>
      refusal(() => run(["scripts/docs", "--check"]), "docs/commands.md is stale; run: scripts/docs"),
  },
  {
    name: "runtime-pinned",
    find: () => {
      const wanted = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).devDependencies.bun;
      const locked = TARGETS.filter(
        ({ bun }) => readLock().packages[`@oven/bun-${bun}`]?.[0] !== `@oven/bun-${bun}@${TABLE.bun}`,
      );
      if (wanted !== TABLE.bun)
        return `package.json has bun ${wanted}, release/targets.json has ${TABLE.bun}`;
      return locked.length === 0
        ? null
        : `bun.lock has another base of ${locked.map(({ name }) => name).join(", ")}`;
    },
  },
  {
    name: "licences-known",
    find: () => {
      const odd = innerPackages().filter(({ licence, text }) => !ALLOWED.has(licence) || text === "");
      return odd.length === 0
        ? null
        : `to be read first: ${odd.map(({ name, licence }) => `${name} (${licence})`).join(", ")}`;
    },
  },
  {
    name: "tools",
    find: () => {
      const missing = TOOLS.filter((name) => Bun.which(name) === null);
      return missing.length === 0 ? null : `missing: ${missing.join(", ")}`;
    },
  },
];

function refusal(act: () => unknown, what: string): string | null {
  try {
    act();
    return null;
  } catch {
    return what;
  }
}

/** Tells each check on standard error; true when nothing stands against the release. */
export function passes(source: Source, draft: boolean): boolean {
  const found = CHECKS.map((check) => ({ check, problem: check.find(source) }));
  for (const { check, problem } of found) {
    const mark = problem === null ? "ok     " : draft && check.rehearsed === true ? "draft  " : "FAILED ";
    console.error(`${mark} ${check.name}${problem === null ? "" : `: ${problem}`}`);
  }
  return found.every(({ check, problem }) => problem === null || (draft && check.rehearsed === true));
}
