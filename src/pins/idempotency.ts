import { sha256Of } from "../base/hashing.ts";
import type { PinRow, WantedPin } from "./pin.ts";

/**
 * The name of one intended change, the same in every attempt of one CI run: a job that is started again does not
 * write twice. What is replaced is a part of it, and since when it has been there, so that a run which promotes, rolls
 * back and promotes again means three changes.
 */
export function idempotencyKey(run: string, env: string, wanted: WantedPin, before: PinRow | null): string {
  const { template, region, digest } = wanted;
  const over = [before?.digest, before?.promotedAt];
  // Where there was no row, JSON has null.
  return sha256Of(JSON.stringify(["waybill", run, env, template, region, digest, ...over]));
}
