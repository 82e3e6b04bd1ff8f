import type { Git } from "./git.ts";

/** Paths are relative to the top of the work tree, one character a byte. */
type BytesInPath = string;

/**
 * Which of these untracked paths git ignores. Only ignore files are read for this: no filter, no hook. Null when git
 * cannot say. `git` runs at the top.
 */
export async function gitIgnored(
  git: Git,
  paths: readonly BytesInPath[],
): Promise<ReadonlySet<BytesInPath> | null> {
  // `./` before each, so that a name such as `:(top)x` is a name.
  const input = Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1");
  const answer = await git.run(["check-ignore", "-z", "--stdin"], [], new Uint8Array(input));
  // It exits with 1 when it ignores none.
  if (!answer.ok) return answer.code === 1 ? new Set() : null;
  const found = Buffer.from(answer.stdout).toString("latin1").split("\0");
  return new Set(found.map((path) => path.slice(2)));
}

/** The tracked paths that git does not look at (sparse checkouts), or null when git cannot say. */
export async function skipWorktree(git: Git, subpath: string): Promise<ReadonlySet<BytesInPath> | null> {
  const below = subpath === "" ? [] : ["--", subpath];
  const answer = await git.run(["ls-files", "-v", "-z", "--full-name", ...below]);
  if (!answer.ok) return null;
  const lines = Buffer.from(answer.stdout).toString("latin1").split("\0");
  // `S path`; in lower case when the path is also assumed unchanged.
  return new Set(lines.filter((line) => /^s /iu.test(line)).map((line) => line.slice(2)));
}
