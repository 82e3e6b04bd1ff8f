import { expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { isEndless, type Trials } from "../../src/trust/signature-trials.ts";

const { signatureTrials: most, signatureTrialBytes: mostBytes } = LIMITS;
const of = (signatures: number, keys: number, payloadBytes: number): Trials => ({
  signatures,
  keys,
  payloadBytes,
});

const table: [string, Trials[], boolean][] = [
  ["nothing", [], false],
  ["one key as often as may be", [of(most, 1, 1)], false],
  ["one key once more", [of(most + 1, 1, 1)], true],
  ["as many keys as may be", [of(1, most, 1)], false],
  ["one key more", [of(1, most + 1, 1)], true],
  ["both together, as many as may be", [of(10, most / 10, 0)], false],
  ["both together, too many", [of(10, most / 10 + 1, 0)], true],
  ["several, as many as may be", [of(1, most - 1, 0), of(1, 1, 0)], false],
  ["several, one too many", [of(1, most - 1, 0), of(2, 1, 0)], true],
  ["as many bytes as may be", [of(1, 1, mostBytes)], false],
  ["one byte more", [of(1, 1, mostBytes + 1)], true],
  ["a few bytes for many", [of(16, 1_000, Math.floor(mostBytes / 16_000))], false],
  ["a few bytes more for many", [of(16, 1_000, Math.ceil(mostBytes / 16_000))], true],
  ["several, as many bytes as may be", [of(1, 1, mostBytes - 1), of(1, 1, 1)], false],
  ["several, one byte too many", [of(1, 1, mostBytes - 1), of(2, 1, 1)], true],
];

test.each(table)("%s", (_what, work, endless) => expect(isEndless(work)).toBe(endless));
