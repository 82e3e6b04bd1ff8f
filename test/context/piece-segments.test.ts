import { expect, test } from "bun:test";
import { NO_FILE, PieceSegments } from "../../src/context/piece-segments.ts";

const PIECE_BYTES = 65_536;

test("more parts of files than there is room for are refused, and nothing is written over", () => {
  const segments = new PieceSegments(PieceSegments.memory(PIECE_BYTES));
  const most = PIECE_BYTES / 512 + 1;
  for (let at = 0; at < most; at++) {
    segments.add({ at, length: 1, first: true, last: true }, { number: at, size: 1, executable: true });
  }
  const one = { at: most, length: 1, first: false, last: false };
  expect(() => segments.add(one, { number: NO_FILE, size: 2, executable: false })).toThrow(RangeError);
  expect(() => segments.addWhole(most, 1, 1, false)).toThrow(RangeError);
  expect([segments.count, segments.get(most - 1).at, segments.fileEndingIn(most - 1)]).toEqual([
    most,
    most - 1,
    most - 1,
  ]);
  const executable = Array.from({ length: most }, (_, index) => segments.records.executable(index));
  expect(new Set(executable)).toEqual(new Set([true]));
  segments.clear();
  expect(segments.count).toBe(0);
});
