import { LIMITS } from "../base/limits.ts";
import { runnerOf, type Runner } from "./ci-runner.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The lines that a CI runner acts on: what it shows beside the job, masks or folds. Null, or the plain lines alone,
 * under runners that do not know them.
 */
export class Annotator {
  readonly #runner: Runner;

  constructor(env: Environment) {
    this.#runner = runnerOf(env);
  }

  /** Whether the runner folds sections of the log. */
  get folds(): boolean {
    return this.#runner === "gitlab";
  }

  error(title: string, message: string): string | null {
    return this.#shown("error", `waybill ${title}`, message);
  }

  warning(message: string): string | null {
    return this.#shown("warning", "waybill", message);
  }

  /** Has the runner hide a secret in everything that this job logs from now on. */
  mask(secret: string): string | null {
    return this.#runner === "github" ? `::add-mask::${escapeData(secret)}` : null;
  }

  /** Lines folded under a title, where the runner can; `id` is of letters, digits, `_` and `-`. */
  section(id: string, title: string, lines: readonly string[], now: Date): readonly string[] | null {
    if (!this.folds) return null;
    const at = Math.floor(now.getTime() / 1000);
    return [
      `${marker(`section_start:${at}:${id}[collapsed=true]`)}${title}`,
      ...lines,
      marker(`section_end:${at}:${id}`),
    ];
  }

  #shown(kind: "error" | "warning", title: string, message: string): string | null {
    if (this.#runner !== "github") return null;
    // Cut before it is escaped: half an escape would be something else.
    return `::${kind} title=${escapeProperty(title)}::${escapeData(message.slice(0, LIMITS.logLineChars))}`;
  }
}

// The runner's own escapes: without them a line break in the text would start a new command.
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

// The line is erased after the marker, so that a person sees the title alone.
function marker(text: string): string {
  return `\u001b[0K${text}\r\u001b[0K`;
}
