import { throwIfStopped } from "../base/interruption.ts";

/**
 * How long we work before the event loop gets a turn. Short, because git writes beside us into a pipe that holds
 * little, and waits whenever it is full; a turn costs two microseconds.
 */
const TURN_MS = 4;

/** Cuts long work on the main thread into pieces, so that signals are seen and git's output is taken. */
export class Turns {
  readonly #stop: AbortSignal;
  #since = performance.now();

  constructor(stop: AbortSignal) {
    this.#stop = stop;
  }

  /** Whether it is time for `take`. Throws the Failure of an interruption once the run is stopped. */
  due(): boolean {
    throwIfStopped(this.#stop, "reading the context");
    return performance.now() - this.#since >= TURN_MS;
  }

  async take(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
    throwIfStopped(this.#stop, "reading the context");
  }
}
