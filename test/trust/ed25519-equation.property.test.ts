import { expect, test } from "bun:test";
import { Point } from "@noble/ed25519";
import * as fc from "fast-check";
import { expectedCommitment } from "../../src/trust/ed25519.ts";

const ORDER = Point.CURVE().n;
/** The ends of the range, where bits are missing or a sum meets the neutral point, as often as the middle. */
const scalars = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 8n, ORDER - 2n, ORDER - 1n),
  fc.bigInt({ min: 0n, max: ORDER - 1n }),
);

function littleEndian(scalar: bigint, length: number): Uint8Array {
  return Uint8Array.from(Buffer.from(scalar.toString(16).padStart(length * 2, "0"), "hex").toReversed());
}

/** As the library itself multiplies, with its table of the base point. */
function byTheLibrary(s: bigint, k: bigint, key: Point): Uint8Array {
  return Point.BASE.multiply(s, false).add(key.negate().multiply(k, false)).toBytes();
}

test("[s]B - [k]A is what the library makes of it, for A = B and A = -B, too", () => {
  const keys = fc.oneof(
    fc.constantFrom(1n, 2n, ORDER - 1n, ORDER - 2n),
    fc.bigInt({ min: 1n, max: ORDER - 1n }),
  );
  fc.assert(
    fc.property(scalars, scalars, keys, (s, k, secret) => {
      const key = Point.BASE.multiply(secret);
      const found = expectedCommitment(littleEndian(s, 32), littleEndian(k, 64), key.toBytes());
      expect(found).toEqual(byTheLibrary(s, k, key));
    }),
    { numRuns: 300 },
  );
});

test("a challenge counts by what it leaves over the order", () => {
  const key = Point.BASE.multiply(7n);
  const [s, k] = [5n, 3n];
  const larger = expectedCommitment(littleEndian(s, 32), littleEndian(k + 9n * ORDER, 64), key.toBytes());
  expect(larger).toEqual(byTheLibrary(s, k, key));
});

test("an S that is not below the order has no commitment", () => {
  const key = Point.BASE.toBytes();
  for (const s of [ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
    expect(expectedCommitment(littleEndian(s, 32), littleEndian(1n, 64), key)).toBeNull();
  }
});
