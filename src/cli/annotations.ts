type Environment = Readonly<Record<string, string | undefined>>;

/** Turns a failure into the log line that the CI runner shows beside the job; null outside such a runner. */
export class Annotator {
  readonly #known: boolean;

  constructor(env: Environment) {
    this.#known = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"].some((name) => env[name] === "true");
  }

  error(title: string, message: string): string | null {
    if (!this.#known) return null;
    return `::error title=${escapeProperty(`waybill ${title}`)}::${escapeData(message)}`;
  }
}

// The runner's own escapes: without them a line break in the text would start a new command.
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
