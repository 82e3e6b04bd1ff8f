import type { ConsolaInstance } from "consola";
import type { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";
import { isPipe, isTerminal, writeFully } from "../host/descriptors.ts";
import type { Annotator } from "./annotations.ts";
import type { Redactor } from "./redactor.ts";

type Loudness = "quiet" | "normal" | "verbose";
type Kind = "error" | "warn" | "info" | "debug";

const PREFIX: Readonly<Record<string, string>> = { error: "error: ", warn: "warning: ", debug: "debug: " };
const LEVEL = { quiet: 0, normal: 3, verbose: 4 } as const;

/**
 * Speech to the person, on standard error only. consola is loaded at the first word to a terminal (it costs
 * more than the rest of the start together), so messages queue behind it in order and `flush` waits for the last.
 */
export class Speaker {
  readonly #redactor: Redactor;
  readonly #annotator: Annotator;
  readonly #loudness: Loudness;
  readonly #masked: Set<string> = new Set();
  #consola: Promise<ConsolaInstance> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(loudness: Loudness, redactor: Redactor, annotator: Annotator) {
    this.#loudness = loudness;
    this.#redactor = redactor;
    this.#annotator = annotator;
  }

  /** Whether `debug` is heard: for those to whom the words cost something. */
  get isVerbose(): boolean {
    return this.#loudness === "verbose";
  }

  /** Whether `details` are shown or folded anywhere: making them costs something too. */
  get hasDetails(): boolean {
    return this.isVerbose || this.#annotator.folds;
  }

  info(text: string): void {
    this.#queue("info", text);
  }

  /** A warning, and an annotation where the runner knows them. */
  warn(text: string): void {
    this.#queue("warn", text);
    const annotation = this.#annotator.warning(this.#redactor.clean(text));
    if (annotation !== null && this.#loudness !== "quiet") this.#then(() => writeLine(annotation));
  }

  debug(text: string): void {
    this.#queue("debug", text);
  }

  /**
   * Has the CI runner hide a secret in what other steps log. Only through a pipe, behind which the runner reads: in
   * a file the secret would stay.
   */
  mask(secret: string): void {
    const line = this.#masked.has(secret) ? null : this.#annotator.mask(secret);
    this.#masked.add(secret);
    if (line !== null && isPipe(2)) this.#then(() => writeLine(line));
  }

  /** Lines for those who want to know more: folded where the runner folds, otherwise with --verbose. */
  details(title: string, lines: readonly string[], now: Date): void {
    const cleaned = lines.map((line) => inert(this.#redactor.clean(line)));
    const folded = this.#annotator.section(`waybill_${now.getTime()}`, title, cleaned, now);
    if (folded === null) this.#queue("debug", [title, ...cleaned].join("\n  "));
    else if (this.#loudness !== "quiet") this.#then(() => folded.forEach(writeLine));
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
      this.#queue("debug", failure.cause.stack);
    }
  }

  async flush(): Promise<void> {
    await this.#last;
  }

  #queue(kind: Kind, text: string): void {
    if (this.#loudness === "quiet" && kind !== "error") return;
    if (this.#loudness === "normal" && kind === "debug") return;
    this.#then(async () => {
      // Whoever wrote the words: those of others are made inert where they come in, and here once more.
      const lines = this.#redactor.clean(text).split("\n").map(inert).join("\n");
      // consola is for a terminal; a pipe or a CI log gets plain lines, no colours, no time stamps.
      if (!isTerminal(2)) return writeLine(`${PREFIX[kind] ?? ""}${lines}`);
      this.#consola ??= loadConsola(this.#loudness);
      (await this.#consola)[kind](lines);
    });
  }

  #then(step: () => void | Promise<void>): void {
    this.#last = this.#last.then(step);
  }
}

/**
 * One line, with its indentation. Runners cut long lines where they like, also in the middle of what makes them
 * harmless.
 */
function inert(line: string): string {
  return `${/^ */u.exec(line)?.[0] ?? ""}${printable(line, LIMITS.logLineChars)}`;
}

async function loadConsola(loudness: Loudness): Promise<ConsolaInstance> {
  const { createConsola } = await import("consola");
  return createConsola({
    level: LEVEL[loudness],
    throttle: 0,
    stdout: process.stderr,
    stderr: process.stderr,
  });
}

function writeLine(line: string): void {
  // Nothing can be told to anybody when standard error itself fails; the exit code still speaks.
  try {
    writeFully(2, `${line}\n`);
  } catch {}
}
