import { dirname } from "node:path";
import { isCompiled } from "./runtime.ts";

/** How many threads can really run at once. */
export const CORES: number = navigator.hardwareConcurrency;

/** The files that start as threads. The build makes each an entry point of the binary. */
export type ThreadEntry = "context/content-worker" | "context/archive-worker" | "host/digest-worker";

/** A thread that answers each question with one message. What ends it before it is told to is an accident. */
export class Thread {
  readonly #worker: Worker;
  #accident: Error | null = null;
  #waiting: { resolve: (answer: unknown) => void; reject: (accident: Error) => void } | null = null;

  constructor(entry: ThreadEntry) {
    // An absolute place inside the binary, or beside this file: never a path that the current folder can answer.
    const place = isCompiled()
      ? `${dirname(Bun.main)}/${entry}.js`
      : new URL(`../${entry}.ts`, import.meta.url).href;
    this.#worker = new Worker(place);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      this.#waiting?.resolve(data);
      this.#waiting = null;
    });
    this.#worker.addEventListener("error", ({ message }) =>
      this.#ended(new Error(`a thread failed: ${message}`)),
    );
    this.#worker.addEventListener("close", () => this.#ended(new Error("a thread ended on its own")));
  }

  tell(message: unknown): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(message);
  }

  /** The answer to a message; one question at a time. Rejects when the thread ends instead. */
  async ask<Answer>(message: unknown): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      // Both sides of a thread are ours: what it answers is what its entry file says it does.
      this.#waiting = { resolve: (answer) => resolve(answer as Answer), reject }; // oxlint-disable-line typescript/no-unsafe-type-assertion
      if (this.#accident === null) this.tell(message);
      else this.#ended(this.#accident);
    });
  }

  end(): void {
    this.#worker.terminate();
  }

  #ended(accident: Error): void {
    this.#accident ??= accident;
    this.#waiting?.reject(this.#accident);
    this.#waiting = null;
  }
}
