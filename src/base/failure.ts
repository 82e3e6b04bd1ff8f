import { exitCodeOf, type ExitCode, type FailureCode } from "./exit-codes.ts";
import { printable } from "./printable.ts";

/** What a failure looks like in a `--json` document. */
export type FailureDocument = {
  code: FailureCode;
  message: string;
  hint?: string;
  server_text?: string;
};

type FailureDetails = {
  /** What the reader should do next. */
  hint?: string | undefined;
  /** Text of the other side; hostile until `base/printable.ts` has made it inert. */
  serverText?: string | undefined;
  cause?: unknown;
};

/** A failure that we foresaw: a stable code, a message that names what was found and wanted, and a hint. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly serverText: string | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.serverText = details.serverText;
  }

  get exitCode(): ExitCode {
    return exitCodeOf(this.code);
  }

  toDocument(): FailureDocument {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.serverText === undefined ? {} : { server_text: this.serverText }),
    };
  }
}

/** Anything thrown, as a Failure: what we did not foresee is `internal_error`, with its own message. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = thrown instanceof Error ? thrown.message : described(thrown);
  // Nobody knows what it quotes.
  return new Failure("internal_error", `unexpected: ${printable(message)}`, {
    hint: "this is a fault in waybill; run again with --verbose and report the trace",
    cause: thrown,
  });
}

function described(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null ? "a value that is no error" : String(thrown);
}
