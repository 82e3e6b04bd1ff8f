import { closeSync, constants, openSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { reason, writeAll } from "../../host/files.ts";

/** JSON lines at the end of a file that something else may move away: `reopen` begins the next one. */
export class AccessLog {
  readonly #path: string;
  #descriptor: number;

  /** Throws Failure `output_not_written`. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = opened(path);
  }

  /** A line that cannot be written is dropped: a full disk for logs must not end the service. */
  write = (line: string): void => {
    try {
      writeAll(this.#descriptor, new TextEncoder().encode(`${line}\n`));
    } catch {}
  };

  reopen(): void {
    const next = opened(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = next;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o640);
  } catch (error) {
    throw new Failure(
      "output_not_written",
      `--access-log: ${quoted(path)} cannot be written: ${reason(error)}`,
      {
        cause: error,
      },
    );
  }
}
