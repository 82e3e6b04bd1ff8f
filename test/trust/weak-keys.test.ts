import { describe, expect, test } from "bun:test";
import { createPublicKey, randomBytes, verify as nativeVerify } from "node:crypto";
import { Point } from "@noble/ed25519";
import { expandSeed, publicKeyOf, SPKI_PREFIX, verify, weaknessOf } from "../../src/trust/ed25519.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { refusalOf } from "./refusal.ts";

const ORDER = Point.CURVE().n;
const IDENTITY = `01${"00".repeat(31)}`;
const ZERO = "00".repeat(32);
const ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

describe("weak public keys", () => {
  const table: readonly (readonly [string, string, string])[] = [
    ["the identity", IDENTITY, "small_order"],
    ["all zeros, order 4", ZERO, "small_order"],
    ["order 4, the other", `${"00".repeat(31)}80`, "small_order"],
    ["order 2", `ec${"ff".repeat(30)}7f`, "small_order"],
    ["order 8", ORDER_8, "small_order"],
    ["order 8, negated", `${ORDER_8.slice(0, 62)}85`, "small_order"],
    ["order 8, the other", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small_order"],
    [
      "order 8, the other negated",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "small_order",
    ],
    ["y = p", `ed${"ff".repeat(30)}7f`, "not_canonical"],
    ["y = p + 1", `ee${"ff".repeat(30)}7f`, "not_canonical"],
    ["the identity with a sign", `01${"00".repeat(30)}80`, "not_canonical"],
    ["no point", `02${"00".repeat(31)}`, "not_on_curve"],
  ];

  test.each(table)("%s", (_name, hex, weakness) => {
    expect(weaknessOf(bytesOf(hex))).toBe(weakness as ReturnType<typeof weaknessOf>);
    const refusal = refusalOf(() => parsePublicKey(hex, "--key"));
    expect(refusal.code).toBe("key_weak");
    expect(refusal.message.startsWith("--key ")).toBe(true);
    // Only a point of small order is a public key beyond doubt; another value may be somebody's seed.
    expect(refusal.message.includes(hex)).toBe(weakness === "small_order");
  });

  test("a good key with a torsion component added", () => {
    const good = Point.fromBytes(publicKeyOf(randomBytes(32)));
    const mixed = Buffer.from(good.add(Point.fromHex(ORDER_8)).toBytes()).toString("hex");
    expect(weaknessOf(good.toBytes())).toBeNull();
    expect(weaknessOf(bytesOf(mixed))).toBe("torsion");
    const refusal = refusalOf(() => parsePublicKey(mixed, "--key"));
    expect([refusal.code, refusal.message.includes(mixed)]).toEqual(["key_weak", false]);
  });

  test("a seed that was passed as the public key is never shown", () => {
    for (let round = 0; round < 64; round++) {
      const seed = randomBytes(32);
      // One seed in sixteen is a good public key, and nobody can tell.
      if (weaknessOf(seed) === null) continue;
      for (const text of [seed.toString("hex"), seed.toString("base64")]) {
        const refusal = refusalOf(() => parsePublicKey(text, "--key"));
        expect(refusal.code).toBe("key_weak");
        expect(`${refusal.message} ${refusal.hint}`).not.toContain(text);
      }
    }
  });
});

test("forgeries of 400 messages under the identity key are refused", () => {
  const key = bytesOf(IDENTITY);
  const { scalar } = expandSeed(randomBytes(32));
  const s = scalar % ORDER;
  const forged = new Uint8Array(64);
  // [k]A vanishes, so R = [S]B fits every message.
  forged.set(Point.BASE.multiply(s).toBytes());
  forged.set(Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse(), 32);
  const native = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: "der", type: "spki" });
  let takenByRuntime = 0;
  for (let count = 0; count < 400; count++) {
    const message = randomBytes(count % 97);
    if (nativeVerify(null, message, native, forged)) takenByRuntime++;
    expect(verify(forged, message, key)).toBe(false);
  }
  // The premise: without the check of the key each of them would pass.
  expect(takenByRuntime).toBe(400);
});
