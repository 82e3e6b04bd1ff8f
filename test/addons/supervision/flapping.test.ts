import { expect, test } from "bun:test";
import { HOLD_MS, weighWish, type Wishes } from "../../../src/addons/supervision/flapping.ts";

/** What becomes of wishes that come a minute apart: each as it is then, upper case while it is held. */
function obeyed(asked: string, stepMs = 60_000): string {
  let wishes: Wishes | null = null;
  let now = 0;
  return [...asked]
    .map((key) => {
      const weighed = weighWish(wishes, key, (now += stepMs));
      wishes = weighed.wishes;
      return weighed.isHeld ? wishes.key.toUpperCase() : wishes.key;
    })
    .join("");
}

test.each([
  ["what stays the same", "aaaa", "aaaa"],
  ["one thing after the other", "abcdefghijklmno", "abcdefghijklmno"],
  ["a mistake that is taken back, and that as well", "abab", "abab"],
  ["the same two at every look", "ababababab", "ababBbBbBb"],
  ["something new in the middle of it", "abababcc", "ababBbcc"],
  ["three in a circle", "abcabcabc", "abcabBBbB"],
  ["the same two, and at last one of them for good", "ababaaaaaaaaaaaaa", "ababBBBBBBBaaaaaa"],
])("%s: %s becomes %s", (_name, asked, found) => {
  expect(obeyed(asked)).toBe(found);
});

test("what changes rarely is always obeyed", () => {
  expect(obeyed("abababab", HOLD_MS)).toBe("abababab");
});
