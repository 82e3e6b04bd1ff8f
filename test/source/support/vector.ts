import { expect, test } from "bun:test";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { waybill } from "../../context/support/run-capture.ts";
import { HAS_GIT, makeRepository, tryGit } from "./repository.ts";
import { stateOf, Trap } from "./trap.ts";

/** One way in which a repository can get a program of its own run. */
export type Vector = {
  readonly name: string;
  /** Makes the repository run `trap` when git does what `live` does. */
  readonly arm: (root: string, trap: Trap) => void;
  /** Plain git commands of which at least one must spring the trap: else the test would prove nothing. */
  readonly live: readonly (readonly string[])[];
  /** The folder below the repository in which git and waybill work. */
  readonly context?: string;
  readonly skip?: boolean;
};

const COMMANDS: readonly ((place: string) => readonly string[])[] = [
  (place) => ["capture", place, "--json"],
  (place) => ["capture", place, "--verbose", "--include-vcs"],
  (place) => [
    ...["capture", place, "--format", "env"],
    ...["--require-clean", "--require-matches-commit", "--strict"],
  ],
  (place) => ["diff", "git:HEAD", place, "--repo", place],
];

/**
 * Proves first that the vector is live with plain git, and then that waybill neither springs it nor writes anything.
 */
export function testVector(
  { name, arm, live, context = ".", skip = false }: Vector,
  newFolder: () => string,
): void {
  test.skipIf(!HAS_GIT || skip)(`case 16: nothing of the repository is run: ${name}`, async () => {
    const trap = new Trap(newFolder());
    const root = makeRepository(newFolder());
    arm(root, trap);
    const place = join(root, context);
    touchAll(root, 1);
    trap.sprung();
    for (const command of live) tryGit(place, ...command);
    expect(trap.sprung()).toBe(true);
    touchAll(root, 2);
    // Listing the files was plain git again.
    trap.sprung();
    const before = stateOf(root);
    for (const command of COMMANDS) {
      const args = command(place);
      const ran = await waybill(args);
      expect([name, args, ran.stderr.includes("internal")]).toEqual([name, args, false]);
      expect([args, trap.sprung()]).toEqual([args, false]);
    }
    expect(stateOf(root)).toEqual(before);
  });
}

/** Another time makes git look at the content again, which is when filters and hooks run. */
function touchAll(root: string, hour: number): void {
  const seconds = 1_500_000_000 + hour * 3600;
  for (const path of tryGit(root, "ls-files", "-z", "--recurse-submodules")
    .stdout.split("\0")
    .filter(Boolean)) {
    utimesSync(join(root, path), seconds, seconds);
  }
}
