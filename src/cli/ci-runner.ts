type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A CI runner by what it does with our log: `github` stands for Gitea and Forgejo too, which took its commands over.
 */
export type Runner = "github" | "gitlab" | null;

/** The runner that the environment names; null on a terminal, under cron, and under runners without own commands. */
export function runnerOf(env: Environment): Runner {
  const { GITHUB_ACTIONS, GITEA_ACTIONS, FORGEJO_ACTIONS } = env;
  if (GITHUB_ACTIONS === "true" || GITEA_ACTIONS === "true" || FORGEJO_ACTIONS === "true") return "github";
  return env["GITLAB_CI"] === "true" ? "gitlab" : null;
}

/** The file of a runner that a variable names, or null. */
export function runnerFile(env: Environment, name: "GITHUB_OUTPUT" | "GITHUB_STEP_SUMMARY"): string | null {
  const path = env[name] ?? "";
  return path === "" ? null : path;
}
