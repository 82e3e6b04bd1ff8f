import { isatty } from "node:tty";
import type { ConsolaInstance, ConsolaReporter } from "consola";
import type { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { writeFully } from "../host/descriptors.ts";
import type { Annotator } from "./annotations.ts";
import type { Redactor } from "./redactor.ts";

type Loudness = "quiet" | "normal" | "verbose";
type Kind = "error" | "warn" | "info" | "debug";

const PREFIX: Readonly<Record<string, string>> = { error: "error: ", warn: "warning: ", debug: "debug: " };
const LEVEL = { quiet: 0, normal: 3, verbose: 4 } as const;

/**
 * Speech to the person, on standard error only. consola is loaded at the first word (it costs more than the rest
 * of the start together), so messages queue behind it in order and `flush` waits for the last.
 */
export class Speaker {
  readonly #redactor: Redactor;
  readonly #annotator: Annotator;
  readonly #loudness: Loudness;
  #consola: Promise<ConsolaInstance> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(loudness: Loudness, redactor: Redactor, annotator: Annotator) {
    this.#loudness = loudness;
    this.#redactor = redactor;
    this.#annotator = annotator;
  }

  info(text: string): void {
    this.#queue("info", text);
  }

  warn(text: string): void {
    this.#queue("warn", text);
  }

  debug(text: string): void {
    this.#queue("debug", text);
  }

  /** A failure: the message, the hint below it, and an annotation where the runner knows them. */
  failure(failure: Failure): void {
    const lines = [failure.message];
    if (failure.serverText !== undefined) lines.push(`server said: ${failure.serverText}`);
    if (failure.hint !== undefined) lines.push(`hint: ${failure.hint}`);
    this.#queue("error", lines.join("\n  "));
    // Cleaned before its characters are escaped: a secret with a "%" would not be found in `%25`.
    const annotation = this.#annotator.error(failure.code, this.#redactor.clean(lines.join(" | ")));
    if (annotation !== null) this.#then(() => writeLine(annotation));
    if (this.#loudness === "verbose" && failure.cause instanceof Error && failure.cause.stack !== undefined) {
      // Its first line is somebody else's message, which may hold a line break and a runner's command.
      this.#queue("debug", this.#redactor.clean(failure.cause.stack).split("\n").map(inert).join("\n"));
    }
  }

  async flush(): Promise<void> {
    await this.#last;
  }

  #queue(kind: Kind, text: string): void {
    if (this.#loudness === "quiet" && kind !== "error") return;
    if (this.#loudness === "normal" && kind === "debug") return;
    this.#then(async () => {
      this.#consola ??= loadConsola(this.#loudness);
      (await this.#consola)[kind](this.#redactor.clean(text));
    });
  }

  #then(step: () => void | Promise<void>): void {
    this.#last = this.#last.then(step);
  }
}

/** One line of a trace, with its indentation. */
function inert(line: string): string {
  return `${/^ */u.exec(line)?.[0] ?? ""}${printable(line)}`;
}

async function loadConsola(loudness: Loudness): Promise<ConsolaInstance> {
  const { createConsola } = await import("consola");
  // A person's terminal gets consola's own look; a pipe or a CI log gets plain lines, no colours, no time stamps.
  const plain: ConsolaReporter = {
    log: (entry) => writeLine(`${PREFIX[entry.type] ?? ""}${entry.args.map(String).join(" ")}`),
  };
  return createConsola({
    level: LEVEL[loudness],
    throttle: 0,
    ...(isatty(2) ? { stdout: process.stderr, stderr: process.stderr } : { reporters: [plain] }),
  });
}

function writeLine(line: string): void {
  // Nothing can be told to anybody when standard error itself fails; the exit code still speaks.
  try {
    writeFully(2, `${line}\n`);
  } catch {}
}
