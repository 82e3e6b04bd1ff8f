import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { addKeys, removeKey, revokeKey, rotateKey } from "../../src/trust/trust-root-change.ts";
import { rises, succeed } from "../../src/trust/trust-root-succession.ts";
import { signersIn } from "../../src/trust/trust-root-signers.ts";
import { problemsOf, type TrustRoot } from "../../src/trust/trust-root.ts";
import { refusalOf } from "./refusal.ts";
import { aRoot, envelopeOf, keyOf, signedRoot, trusted } from "./roots.ts";

const now = new Date("2026-11-21T08:00:00Z");
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
/** So many root keys, all of which must sign. */
const crowd = (count: number): TrustRoot => ({
  version: 1,
  keys: Array.from({ length: count }, (_, index) => trusted(`root-${index}`, { roles: ["root"] })),
  thresholds: { root: count },
});
const app = { name: "app-1", sha256: sha256Of("app") };

describe("a root that is not sound says why", () => {
  const sound = aRoot([trusted("ci", { validFrom: now, validUntil: later(1) })]);
  const lock = (there: number, wanted: number): string =>
    `${there} keys may sign as root and ${wanted} must: nobody could ever change it`;
  const id = keyOf("ci").publicKey.keyid;
  const table: readonly (readonly [string, TrustRoot, readonly string[]])[] = [
    ["a sound one", sound, []],
    ["a window of one instant", aRoot([trusted("ci", { validFrom: now, validUntil: now })]), []],
    ["an open window", aRoot([trusted("a", { validFrom: now }), trusted("b", { validUntil: now })]), []],
    [
      "a window that is open before and ended long ago",
      aRoot([trusted("a", { validUntil: new Date(-1) })]),
      [],
    ],
    ["just enough root keys", { ...sound, thresholds: { root: 1 } }, []],
    [
      "a window that ends before it begins",
      aRoot([trusted("ci", { validFrom: later(1), validUntil: now })]),
      ["key ci is valid until before it is valid"],
    ],
    ["too few root keys", { ...sound, thresholds: { root: 2 } }, [lock(1, 2)]],
    ["no key", { ...sound, keys: [] }, [lock(0, 1)]],
    ["as many root keys as one envelope has room for", crowd(LIMITS.envelopeSignatures), []],
    [
      "more root keys than one envelope has room for",
      crowd(LIMITS.envelopeSignatures + 1),
      ["17 keys must sign as root and one envelope holds 16 signatures"],
    ],
    [
      "a key and a name three times, each told once",
      aRoot([trusted("ci"), trusted("ci"), trusted("ci")]),
      ["two keys have the name ci", `two keys have the keyid ${id}`],
    ],
  ];
  test.each(table)("%s", (_name, root, wanted) => {
    expect(problemsOf(root)).toEqual([...wanted]);
  });
});

describe("a change is the next version", () => {
  const root = aRoot([trusted("ci", { scopes: ["app-*"] })]);

  test("add, remove, revoke", () => {
    const added = addKeys(root, [trusted("bob", { roles: ["root"] })], { root: 2 });
    expect([added.version, added.keys.length, added.thresholds]).toEqual([2, 3, { root: 2 }]);
    const removed = removeKey(added, "ci", {});
    expect([removed.version, removed.keys.map(({ name }) => name)]).toEqual([3, ["root", "bob"]]);
    const revoked = revokeKey(root, "ci", { at: now, reason: null, stillTrusted: [] });
    expect(signersIn(revoked, "build", app, now).keys).toEqual([]);
    expect(root.version).toBe(1);
  });

  test("rotate: both are valid in between, with the same roles and scopes", () => {
    const rotated = rotateKey(
      root,
      "ci",
      { name: "ci-2", key: keyOf("ci-2").publicKey },
      { from: now, until: later(30) },
    );
    const counts = [later(0), later(30), later(31)].map(
      (at) => signersIn(rotated, "build", app, at).keys.length,
    );
    expect(counts).toEqual([2, 2, 1]);
    expect(signersIn(rotated, "build", { name: "other", sha256: null }, now).keys).toEqual([]);
    expect(rotated.keys[2]).toMatchObject({
      name: "ci-2",
      roles: ["build"],
      scopes: ["app-*"],
      validUntil: null,
    });
  });

  test.each([
    ["never makes an ending later", 3, 3],
    ["makes one earlier", 90, 30],
  ])("rotate %s", (_what, ends, wanted) => {
    const old = aRoot([trusted("ci", { validUntil: later(ends) })]);
    const successor = { name: "ci-2", key: keyOf("ci-2").publicKey };
    const rotated = rotateKey(old, "ci", successor, { from: now, until: later(30) });
    expect(rotated.keys[1]?.validUntil).toEqual(later(wanted));
  });

  const refusals: readonly (readonly [string, () => unknown, string])[] = [
    ["a key twice", () => addKeys(root, [trusted("ci")], {}), "trust_root_invalid"],
    ["a name twice", () => addKeys(root, [{ ...trusted("x"), name: "ci" }], {}), "trust_root_invalid"],
    ["the last root key", () => removeKey(root, "root", {}), "trust_root_invalid"],
    [
      "the last root key, revoked",
      () => revokeKey(root, "root", { at: now, reason: null, stillTrusted: [] }),
      "trust_root_invalid",
    ],
    ["a threshold that nobody can meet", () => addKeys(root, [], { root: 2 }), "trust_root_invalid"],
    ["nobody", () => removeKey(root, "nobody", {}), "invalid_value"],
  ];
  test.each(refusals)("%s", (_name, change, code) => {
    expect(refusalOf(change).code as string).toBe(code);
  });

  test("several versions may be skipped when the held root's keys signed the last one", () => {
    const held = signedRoot(root, ["root"]);
    expect(succeed(held, envelopeOf({ ...root, version: 9 }, ["root"]), "it", now)?.root.version).toBe(9);
  });

  test("it needs the signatures of the held root, and of itself, by keys that are valid now", () => {
    const held = signedRoot(root, ["root"]);
    const refusedWith = (next: TrustRoot, signers: readonly string[]): string[] => {
      const refusal = refusalOf(() => succeed(held, envelopeOf(next, signers), "it", now));
      return [refusal.code, refusal.message];
    };
    const bob = trusted("bob", { roles: ["root"] });
    const expired = {
      ...root,
      version: 2,
      keys: root.keys.map((key) => ({ ...key, validUntil: later(-1) })),
    };
    const handed = { ...root, version: 2, keys: [bob] };
    const two = { ...root, version: 2, keys: [...root.keys, bob], thresholds: { root: 2 } };
    expect(refusedWith(two, ["root"])).toEqual([
      "threshold_not_met",
      "it: of its own root keys 1 signed it; wanted 2",
    ]);
    expect(refusedWith(handed, ["bob"])).toEqual([
      "threshold_not_met",
      "it: of the root keys of the root that is held 0 signed it; wanted 1",
    ]);
    expect(refusedWith(expired, ["root"])).toEqual([
      "threshold_not_met",
      "it: of the root keys of the new root 0 signed it; wanted 1",
    ]);
    expect(succeed(held, envelopeOf(handed, ["bob", "root"]), "it", now)?.root.version).toBe(2);
    expect(succeed(held, envelopeOf(two, ["bob", "root"]), "it", now)?.root.keys).toHaveLength(3);
  });

  test("it never goes back, and no version is two roots", () => {
    const second = { ...root, version: 2 };
    const held = signedRoot(second, ["root"]);
    expect(succeed(held, envelopeOf(second, ["root"]), "it", now)).toBeNull();
    const refusedWith = (next: TrustRoot): string[] => {
      const refusal = refusalOf(() => succeed(held, envelopeOf(next, ["root"]), "it", now));
      return [refusal.code, refusal.message];
    };
    expect(refusedWith(root)).toEqual([
      "trust_root_rollback",
      "it is version 1, older than the version 2 that was seen before",
    ]);
    expect(refusedWith({ ...second, keys: [...second.keys, trusted("x")] })).toEqual([
      "trust_root_rollback",
      "it is another version 2 than the version 2 that was seen before",
    ]);
    const seen = { version: 2, sha256: held.sha256 };
    expect([rises(seen, held, "it"), rises({ ...seen, version: 1 }, held, "it")]).toEqual([false, true]);
    // Also when what was noted cannot be: a digest has one version.
    expect(refusalOf(() => rises({ ...seen, version: 3 }, held, "it")).code).toBe("trust_root_rollback");
  });

  test("revoking keeps every other key as it was", () => {
    const revocation = { at: now, reason: null, stillTrusted: [] };
    expect(revokeKey(root, "ci", revocation).keys).toEqual([
      trusted("root", { roles: ["root"] }),
      trusted("ci", { scopes: ["app-*"], revocation }),
    ]);
  });

  test("rotating ends the old key alone, and gives the new one its own window", () => {
    const revoked = aRoot([
      trusted("ci", { revocation: { at: now, reason: null, stillTrusted: [] } }),
      trusted("x"),
    ]);
    const successor = { name: "ci-2", key: keyOf("ci-2").publicKey };
    const window = { from: now, until: later(30) };
    const [first, old, other, added] = rotateKey(revoked, "ci", successor, window).keys;
    expect([first, other]).toEqual([revoked.keys[0], revoked.keys[2]]);
    expect(old?.validUntil).toEqual(later(30));
    expect(added).toMatchObject({ validFrom: now, validUntil: null, revocation: null });
  });

  test("thresholds that it does not name stay", () => {
    const held = { ...root, thresholds: { build: 2, root: 1 } };
    expect(addKeys(held, [], { build: 3 }).thresholds).toEqual({ build: 3, root: 1 });
  });
});
