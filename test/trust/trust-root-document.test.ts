import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { publicKeyFromBytes } from "../../src/trust/public-key.ts";
import { formatTrustRoot, keyDocument, parseTrustRoot } from "../../src/trust/trust-root-document.ts";
import type { TrustRoot } from "../../src/trust/trust-root.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";
import { refusalOf } from "./refusal.ts";
import { aRoot, keyOf, trusted } from "./roots.ts";

const number = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 0xff);
const numbered = publicKeyFromBytes(keyOf("ci").publicKey.bytes, "it", number);
const at = new Date("2026-11-21T08:00:00Z");

const again = (root: TrustRoot): TrustRoot => parseTrustRoot(formatTrustRoot(root), "it");
const second = (key: Partial<TrustedKey>): TrustedKey | undefined =>
  again(aRoot([trusted("ci", key)])).keys[1];

describe("a key of a trust root comes back", () => {
  const table: [string, Partial<TrustedKey>][] = [
    ["as it is", {}],
    ["with its number", { key: numbered }],
    ["with nothing that it may do", { roles: [], scopes: [], namespaces: [] }],
    ["revoked without a reason", { revocation: { at, reason: null, stillTrusted: [] } }],
    [
      "revoked for a reason, with what stays good",
      { revocation: { at, reason: "lost", stillTrusted: [sha256Of("a"), sha256Of("b")] } },
    ],
  ];
  test.each(table)("%s", (_what, key) => expect(second(key)).toStrictEqual(trusted("ci", key)));

  test("without a role, when it had all of them: a trust root names each", () => {
    expect(keyDocument(trusted("ci", { roles: null }))["roles"]).toEqual([]);
  });
});

describe("a trust root is refused with", () => {
  type Document = { keys: Record<string, unknown>[] } & Record<string, unknown>;
  const refused = (change: (root: Document, key: Record<string, unknown>) => void): string => {
    const revocation = { at, reason: null, stillTrusted: [sha256Of("a")] };
    const document = JSON.parse(
      formatTrustRoot(aRoot([trusted("ci", { key: numbered, revocation })])),
    ) as Document;
    change(document, document.keys[1] ?? {});
    const refusal = refusalOf(() => parseTrustRoot(JSON.stringify(document), "the root"));
    expect(refusal.code).toBe("trust_root_invalid");
    return refusal.message.replace("the root is no sound trust root: ", "");
  };
  const hex = "00010203040506";

  test.each([hex, `${hex}ffff`, `${hex}FF`, `${hex}0x`, ""])("the key number %j", (text) => {
    expect(refused((_root, key) => (key["key_number"] = text))).toContain("wanted 16 lower-case hex");
  });

  test.each(["*", "AAA*", "AA AA"])("the public key %j", (text) => {
    expect(refused((_root, key) => (key["public_key"] = text))).toContain(
      "wanted base64 of a SubjectPublicKeyInfo",
    );
  });

  const digest = sha256Of("a");
  test.each([digest, `sha256:${digest}0`, `sha256:${digest.slice(1)}`, "sha256:", `sha256:sha256:${digest}`])(
    "the digest %j",
    (text) => {
      const found = refused(
        (_root, key) => (key["revoked"] = { at: at.toISOString(), still_trusted: [text] }),
      );
      expect(found).toContain("keys[1].revoked.still_trusted[0]");
    },
  );

  test("a member of a revocation that is not known", () => {
    expect(refused((_root, key) => Object.assign(key["revoked"] ?? {}, { until: 1 }))).toBe(
      "keys[1].revoked.until is not a known member",
    );
  });

  test("no version, told once", () => {
    expect(refused((root) => (root["version"] = "7"))).toBe('version is "7"; wanted a whole number');
  });

  test("names that no role has, of which the first is told", () => {
    expect(refused((root) => (root["thresholds"] = { B: 1, A: 1 }))).toBe(
      'thresholds has "B", which is no role',
    );
  });
});
