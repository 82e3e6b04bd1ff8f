import type { Git } from "./git.ts";

/** Paths are relative to the top of the work tree, one character a byte. */
type BytesInPath = string;

/**
 * Which of these paths, that the commit does not have, git ignores. Only ignore files are read for this: no filter, no
 * hook. Null when git cannot say. `git` runs at the top.
 */
export async function gitIgnored(
  git: Git,
  subpath: string,
  paths: readonly BytesInPath[],
): Promise<ReadonlySet<BytesInPath> | null> {
  // `./` before each, so that a name such as `:(top)x` is a name.
  const input = Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1");
  // With its index git holds each path against all that is in there, which takes minutes for many.
  const answer = await git.run(["check-ignore", "--no-index", "-z", "--stdin"], [], new Uint8Array(input));
  // It exits with 1 when it ignores none.
  if (!answer.ok) return answer.code === 1 ? new Set() : null;
  const found = new Set(namesIn(answer.stdout).map((path) => path.slice(2)));
  const tracked = await listIndex(git, subpath, []);
  // What was added in spite of the ignore files is not ignored.
  for (const path of tracked ?? []) found.delete(path);
  return tracked === null ? null : found;
}

/** The tracked paths that git does not look at (sparse checkouts), or null when git cannot say. */
export async function skipWorktree(git: Git, subpath: string): Promise<ReadonlySet<BytesInPath> | null> {
  const lines = await listIndex(git, subpath, ["-v"]);
  // `S path`; in lower case when the path is also assumed unchanged.
  return lines && new Set(lines.filter((line) => /^s /iu.test(line)).map((line) => line.slice(2)));
}

async function listIndex(git: Git, subpath: string, flags: readonly string[]): Promise<string[] | null> {
  const below = subpath === "" ? [] : ["--", subpath];
  const answer = await git.run(["ls-files", ...flags, "-z", "--full-name", ...below]);
  return answer.ok ? namesIn(answer.stdout) : null;
}

function namesIn(output: Uint8Array): string[] {
  return Buffer.from(output).toString("latin1").split("\0");
}
