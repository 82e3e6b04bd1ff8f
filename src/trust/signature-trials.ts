import { LIMITS } from "../base/limits.ts";

/** Every signature of an envelope under every key; each trial hashes the whole payload. */
export type Trials = { readonly signatures: number; readonly keys: number; readonly payloadBytes: number };

/** Whether whoever wrote the evidence could keep us busy with it. Asked before the first signature is tried. */
export function isEndless(work: readonly Trials[]): boolean {
  const trials = sum(work.map(({ signatures, keys }) => signatures * keys));
  const bytes = sum(work.map(({ signatures, keys, payloadBytes }) => signatures * keys * payloadBytes));
  return trials > LIMITS.signatureTrials || bytes > LIMITS.signatureTrialBytes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
