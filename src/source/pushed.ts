import { linesOf, type RefsAtHead } from "./head.ts";
import type { Git } from "./git.ts";
import type { AbsenceReason, Known } from "./known.ts";

/** Does anybody else have HEAD? Known from the remote-tracking branches alone; nobody is asked. */
export type Pushed = {
  readonly value: boolean | null;
  readonly reason: AbsenceReason | "shallow" | "no_remote_branch" | "no_commit" | null;
  /** A remote-tracking branch that contains HEAD. */
  readonly ref: string | null;
};

/** `pointing` are the refs at HEAD, at `commit`: the usual case needs no walk through the history. */
export async function readPushed(
  git: Git,
  commit: Promise<Known<string>>,
  pointing: Promise<RefsAtHead>,
  shallow: boolean,
): Promise<Pushed> {
  const { names } = await pointing;
  const tip = names.find((name) => name.startsWith("refs/remotes/") && !name.endsWith("/HEAD"));
  if (tip !== undefined) return { value: true, reason: null, ref: tip };
  if ((await commit).reason === "unborn_branch") return { value: null, reason: "no_commit", ref: null };
  const format = "--format=%(refname)";
  const any = await git.run(["for-each-ref", "--count=1", format, "refs/remotes"]);
  if (!any.ok) return { value: null, reason: any.reason, ref: null };
  if (any.stdout.length === 0) return { value: null, reason: "no_remote_branch", ref: null };
  // Two, because the first may be the symbolic refs/remotes/origin/HEAD.
  const containing = await git.run(["for-each-ref", "--contains=HEAD", "--count=2", format, "refs/remotes"]);
  if (!containing.ok) return { value: null, reason: containing.reason, ref: null };
  const found = linesOf(containing.stdout);
  if (found.length > 0) return { value: true, reason: null, ref: found.at(-1) ?? null };
  // The history that would connect HEAD with the branch is not here.
  return shallow ? { value: null, reason: "shallow", ref: null } : { value: false, reason: null, ref: null };
}
