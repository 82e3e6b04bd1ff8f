import { describe, expect, test } from "bun:test";
import { der, derInteger, derOid, TAG } from "../../src/trust/der.ts";
import { decodePkcs8, decodeSpki, encodePkcs8, encodeSpki } from "../../src/trust/key-der.ts";
import { refusalOf } from "./refusal.ts";

const bytes = Uint8Array.from({ length: 32 }, (_, at) => at + 1);
const hexOf = (found: Uint8Array): string => Buffer.from(found).toString("hex");
const refused = (read: () => unknown): string => {
  const refusal = refusalOf(read);
  expect(refusal.code).toBe("key_invalid");
  return refusal.message;
};
const ED25519 = derOid("2b6570");
const NULL = der(TAG.null);

describe("a SubjectPublicKeyInfo", () => {
  const spki = (
    algorithm: readonly Uint8Array[],
    key: Uint8Array,
    ...more: readonly Uint8Array[]
  ): Uint8Array =>
    der(TAG.sequence, der(TAG.sequence, ...algorithm), der(0x03, Uint8Array.of(0), key), ...more);

  test("of Ed25519 has one spelling", () => {
    expect(hexOf(encodeSpki(bytes))).toBe(`302a300506032b6570032100${hexOf(bytes)}`);
    expect(hexOf(spki([ED25519], bytes))).toBe(hexOf(encodeSpki(bytes)));
    expect(decodeSpki(encodeSpki(bytes), "it")).toEqual(bytes);
  });

  const layout = /not a well-formed public key .*: another layout than RFC 8410 gives/u;
  const table: [string, Uint8Array, RegExp][] = [
    ["parameters", spki([ED25519, NULL], bytes), /bytes after the end/u],
    ["a short key", spki([ED25519], bytes.slice(1)), layout],
    ["a long key", spki([ED25519], Uint8Array.of(...bytes, 1)), layout],
    ["something behind the key", spki([ED25519], bytes, NULL), layout],
    ["something behind everything", Uint8Array.of(...encodeSpki(bytes), 0), /bytes after the end/u],
    ["unused bits", encodeSpki(bytes).fill(1, 11, 12), layout],
    ["another type of string", encodeSpki(bytes).fill(4, 9, 10), layout],
    ["no sequence", encodeSpki(bytes).fill(0x31, 0, 1), /another type than expected/u],
    ["nothing", new Uint8Array(), /cut short/u],
  ];
  test.each(table)("with %s is refused", (_what, found, message) => {
    expect(refused(() => decodeSpki(found, "it"))).toMatch(message);
  });

  test.each([
    ["2b6571", "Ed448"],
    ["2b656e", "X25519"],
    ["2b656f", "X448"],
    ["2a864886f70d010101", "RSA"],
    ["2a864886f70d01010a", "RSA-PSS"],
    ["2a8648ce3d0201", "ECDSA"],
    ["2a8648ce380401", "DSA"],
    ["608648016503040311", "ML-DSA-44"],
    ["608648016503040312", "ML-DSA-65"],
    ["608648016503040313", "ML-DSA-87"],
    ["2a03", "an unknown algorithm (object identifier 2a03 in hex)"],
    ["2a".repeat(30), `an unknown algorithm (object identifier ${"2a".repeat(20)} in hex)`],
  ])("of %s is refused by its name", (oid, name) => {
    expect(refused(() => decodeSpki(spki([derOid(oid)], bytes), "it"))).toBe(
      `it is a key for ${name}; wanted Ed25519`,
    );
  });
});

describe("a PKCS#8 file", () => {
  const claimed = Uint8Array.from({ length: 32 }, (_, at) => 200 - at);
  const pkcs8 = ({
    version = 0,
    algorithm = [ED25519],
    inner = der(TAG.octets, bytes),
    more = [],
  }: {
    version?: number;
    algorithm?: readonly Uint8Array[];
    inner?: Uint8Array;
    more?: readonly Uint8Array[];
  }): Uint8Array =>
    der(TAG.sequence, derInteger(version), der(TAG.sequence, ...algorithm), der(TAG.octets, inner), ...more);
  const half = (...content: readonly number[]): Uint8Array => der(0x81, Uint8Array.from(content));
  const attributes = der(0xa0, NULL);

  test("is written without its public half, and read with it", () => {
    expect(hexOf(encodePkcs8(bytes))).toBe(`302e020100300506032b657004220420${hexOf(bytes)}`);
    const found: [Uint8Array, Uint8Array | null][] = [
      [encodePkcs8(bytes), null],
      [pkcs8({}), null],
      [pkcs8({ version: 1 }), null],
      [pkcs8({ more: [attributes] }), null],
      [pkcs8({ version: 1, more: [half(0, ...claimed)] }), claimed],
      [pkcs8({ version: 1, more: [attributes, half(0, ...claimed)] }), claimed],
    ];
    for (const [file, wanted] of found)
      expect(decodePkcs8(file, "it")).toEqual({ seed: bytes, claimed: wanted });
  });

  const length = /a public half of another length/u;
  const table: [string, Uint8Array, RegExp][] = [
    ["a later version", pkcs8({ version: 2 }), /an unknown version/u],
    ["another algorithm", pkcs8({ algorithm: [derOid("2b656e")] }), /is a key for X25519/u],
    ["parameters", pkcs8({ algorithm: [ED25519, NULL] }), /bytes after the end/u],
    ["a short seed", pkcs8({ inner: der(TAG.octets, bytes.slice(1)) }), /a seed of 31 bytes/u],
    ["a long seed", pkcs8({ inner: der(TAG.octets, bytes, bytes) }), /a seed of 64 bytes/u],
    ["a bare seed", pkcs8({ inner: bytes }), /another type than expected/u],
    [
      "something behind the seed",
      pkcs8({ inner: Uint8Array.of(...der(TAG.octets, bytes), 0) }),
      /after the end/u,
    ],
    ["a short public half", pkcs8({ more: [half(0, ...claimed.slice(1))] }), length],
    ["a long public half", pkcs8({ more: [half(0, ...claimed, 1)] }), length],
    ["unused bits of its public half", pkcs8({ more: [half(1, ...claimed)] }), length],
    [
      "a public half before its attributes",
      pkcs8({ more: [half(0, ...claimed), attributes] }),
      /after the end/u,
    ],
    ["something else", pkcs8({ more: [NULL] }), /bytes after the end/u],
    ["something behind everything", Uint8Array.of(...pkcs8({}), 0), /bytes after the end/u],
  ];
  test.each(table)("with %s is refused", (_what, found, message) => {
    expect(refused(() => decodePkcs8(found, "it"))).toMatch(message);
  });
});
