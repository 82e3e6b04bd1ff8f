import type { GitAnswer } from "./git.ts";
import { absent, type Known } from "./known.ts";
import { chooseRepo, settingsOf } from "./remote-choice.ts";

/**
 * The repository that the configuration names, as `git config -z --get-regexp` told it with `REMOTE_SETTINGS` or more.
 * `head` is the full name of the branch.
 */
export function configuredRepo(answer: GitAnswer, head: string | null): Known<string> {
  if (answer.ok) return chooseRepo(settingsOf(answer.stdout), head);
  // git config exits with 1 when nothing matches.
  return answer.code === 1 ? chooseRepo([], head) : absent(answer.reason);
}
