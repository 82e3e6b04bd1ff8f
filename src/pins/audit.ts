import type { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import type { Clock } from "../host/clock.ts";
import { mayReadAgain } from "./classify-read.ts";
import type { PinRow } from "./pin.ts";
import { readAllPins, type Exchange } from "./pin-client.ts";
import { nextDelay } from "./next-delay.ts";
import type { Target } from "./target.ts";

/** What one environment answered. */
export type Audited = { readonly target: Target } & (
  | { readonly rows: readonly PinRow[] }
  | { readonly failure: Failure }
);

type AuditRule = { readonly timeoutMs: number; readonly intervalMs: number };

/** Reads every pin of every environment, side by side; one that fails keeps no other from being read. */
export function auditAll(
  targets: readonly Target[],
  exchange: Exchange,
  clock: Clock,
  rule: AuditRule,
): Promise<Audited[]> {
  return Promise.all(targets.map((target) => auditOne(target, exchange, clock, rule)));
}

async function auditOne(
  target: Target,
  exchange: Exchange,
  clock: Clock,
  { timeoutMs, intervalMs }: AuditRule,
): Promise<Audited> {
  const end = clock.now() + timeoutMs;
  for (;;) {
    const answer = await readAllPins(target, exchange);
    if ("rows" in answer) return { target, rows: answer.rows };
    const { failure, waitMs } = answer;
    if (exchange.stop.aborted) {
      return { target, failure: interruption(exchange.stop, `reading the pins of ${target.env}`) };
    }
    const delay = mayReadAgain(failure) ? nextDelay(waitMs, intervalMs, end - clock.now()) : null;
    if (delay === null) return { target, failure };
    await clock.sleep(delay, exchange.stop);
  }
}
