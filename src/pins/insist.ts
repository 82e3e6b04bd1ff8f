import { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { mayReadAgain } from "./classify-read.ts";
import type { Exchange } from "./pin-client.ts";
import { nextDelay } from "./next-delay.ts";

type Patience = {
  readonly exchange: Pick<Exchange, "stop">;
  readonly clock: Clock;
  /** How long to try, and how long to wait in between, in milliseconds. */
  readonly timeoutMs: number;
  readonly intervalMs: number;
};

/** Tries until it works or trying again cannot help. Throws the last Failure. */
export async function insist<T>(
  { clock, exchange, timeoutMs, intervalMs }: Patience,
  attempt: () => Promise<T | Failure>,
): Promise<T> {
  const end = clock.now() + timeoutMs;
  for (;;) {
    const result = await attempt();
    if (!(result instanceof Failure)) return result;
    const delay = mayReadAgain(result) ? nextDelay(null, intervalMs, end - clock.now()) : null;
    if (delay === null || exchange.stop.aborted) throw result;
    await clock.sleep(delay, exchange.stop);
  }
}
