import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { toBase64 } from "../../src/base/encoding.ts";
import { encodeSpki } from "../../src/trust/key-der.ts";
import { formatTrustRoot, parseTrustRoot } from "../../src/trust/trust-root-document.ts";
import { readSignedRoot } from "../../src/trust/trust-root-succession.ts";
import { signersIn } from "../../src/trust/trust-root-signers.ts";
import { isKeyName, isRole, rootKeys, thresholdFor } from "../../src/trust/trust-root.ts";
import { distrust, distrustNamespace, EVERYTHING, isScope, stateOf } from "../../src/trust/trusted-key.ts";
import { refusalOf } from "./refusal.ts";
import { aRoot, envelopeOf, keyOf, trusted } from "./roots.ts";

const now = new Date("2026-11-21T08:00:00Z");
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const app = { name: "app-1", sha256: sha256Of("app") };

describe("who counts", () => {
  const root = aRoot(
    [
      trusted("ci", { roles: ["build", "capture"], scopes: ["app-*", "team/**"] }),
      trusted("old", { validUntil: later(-1) }),
      trusted("next", { validFrom: later(1) }),
      trusted("lost", { revocation: { at: now, reason: null, stillTrusted: [] } }),
      trusted("all", { roles: null }),
    ],
    { thresholds: { build: 2 } },
  );
  const namesFor = (role: string, name: string | null): string[] => {
    const { keys } = signersIn(root, role, name === null ? null : { name, sha256: null }, now);
    return root.keys.filter(({ key }) => keys.includes(key)).map((one) => one.name);
  };
  const table: readonly (readonly [string, string | null, readonly string[]])[] = [
    ["build", "app-1", ["ci", "all"]],
    ["build", "other", ["all"]],
    ["build", "team/deep/app", ["ci", "all"]],
    ["build", "app-1/x", ["all"]],
    ["build", null, ["ci", "all"]],
    ["capture", "app-1", ["ci", "all"]],
    ["promote", "app-1", ["all"]],
    ["root", null, ["root", "all"]],
    ["constructor", "app-1", ["all"]],
  ];
  test.each(table)("as %s for %p", (role, name, wanted) => {
    expect(namesFor(role, name)).toEqual([...wanted]);
  });

  test("one signature is enough unless the root says more", () => {
    expect(["build", "promote", "constructor", "__proto__"].map((role) => thresholdFor(root, role))).toEqual([
      2, 1, 1, 1,
    ]);
  });

  const reasons: readonly (readonly [string, string, string, string | null])[] = [
    ["ci", "build", "app-1", null],
    ["ci", "promote", "app-1", "key_not_authorised"],
    ["ci", "build", "other", "key_not_authorised"],
    ["old", "build", "app-1", "key_expired"],
    ["next", "build", "app-1", "key_not_yet_valid"],
    ["lost", "build", "app-1", "key_revoked"],
  ];
  test.each(reasons)("%s as %s for %s", (name, role, subject, code) => {
    const key = root.keys.find((one) => one.name === name) ?? trusted(name);
    const refusal = distrust(key, role, { name: subject, sha256: null }, now);
    expect<string | null>(refusal?.code ?? null).toBe(code);
    if (refusal !== null)
      expect([refusal.exitCode, refusal.message]).toEqual([6, expect.stringContaining(`"${name}"`)]);
  });

  test("a window without ends holds whatever a clock says", () => {
    const always = [new Date(-1), new Date(8.64e15)].map((at) => distrust(trusted("k"), "build", null, at));
    expect(always).toEqual([null, null]);
  });

  test("the scope of everything is for every name", () => {
    const key = trusted("k", { scopes: [EVERYTHING] });
    expect(distrust(key, "build", { name: "team/deep/app", sha256: null }, now)).toBeNull();
  });

  test("a refusal says since when, until when, and what it is now", () => {
    const why = (more: Parameters<typeof trusted>[1]): string | undefined =>
      distrust(trusted("k", more), "build", null, now)?.message;
    expect(why({ validFrom: later(1) })).toBe(
      'key "k" is valid from 2026-11-22T08:00:00Z; it is 2026-11-21T08:00:00Z',
    );
    expect(why({ validUntil: new Date(now.getTime() - 1) })).toBe(
      'key "k" was valid until 2026-11-21T07:59:59.999Z; it is 2026-11-21T08:00:00Z',
    );
    expect(why({ revocation: { at: now, reason: null, stillTrusted: [] } })).toBe(
      'key "k" was revoked at 2026-11-21T08:00:00Z',
    );
  });

  const states: readonly (readonly [ReturnType<typeof stateOf>, Parameters<typeof trusted>[1]])[] = [
    ["valid", {}],
    ["valid", { validFrom: now, validUntil: now }],
    ["valid", { validFrom: later(-1), validUntil: later(1) }],
    ["not_yet_valid", { validFrom: later(1), validUntil: later(2) }],
    ["expired", { validFrom: later(-2), validUntil: later(-1) }],
    ["revoked", { validUntil: later(-1), revocation: { at: now, reason: null, stillTrusted: [] } }],
  ];
  test.each(states)("a key that is %s", (state, more) => {
    expect(stateOf(trusted("k", more), now)).toBe(state);
  });

  test("who may sign as root: keys of that role that were not revoked, whatever their window", () => {
    const revocation = { at: now, reason: null, stillTrusted: [] };
    const roots = aRoot([
      trusted("old", { roles: ["root"], validUntil: later(-9) }),
      trusted("gone", { roles: ["root"], revocation }),
      trusted("all", { roles: null }),
      trusted("ci"),
      trusted("commits", { roles: ["root"], namespaces: ["git"] }),
    ]);
    expect(rootKeys(roots)).toEqual([keyOf("root").publicKey, keyOf("old").publicKey]);
  });

  const names: readonly (readonly [
    string,
    (text: string) => boolean,
    readonly string[],
    readonly string[],
  ])[] = [
    [
      "role",
      isRole,
      ["a", "build", "a-1", `a${"b".repeat(31)}`],
      ["", "1a", "-a", "A", "a_b", "a b", `a${"b".repeat(32)}`],
    ],
    [
      "key",
      isKeyName,
      ["a", "A1", "9", "a@b.c", "a+b-c_d", "a".repeat(64)],
      ["", "-a", ".a", "a b", "a/b", "ä", "a".repeat(65)],
    ],
    ["scope", isScope, ["**", "a", "!~", "a".repeat(200)], ["", "a b", "a\n", "ä", "a".repeat(201)]],
  ];
  test.each(names)("a name of a %s", (_what, accepts, taken, refused) => {
    expect(taken.filter((text) => !accepts(text))).toEqual([]);
    expect(refused.filter(accepts)).toEqual([]);
  });

  test("a key may sign in its namespaces only", () => {
    const key = trusted("ssh", { namespaces: ["file", "*@waybill"] });
    const codes = ["file", "artifact@waybill", "git", null].map(
      (one) => distrustNamespace(key, one)?.code ?? null,
    );
    const other = "key_not_authorised";
    expect(distrustNamespace(key, "elsewhere")?.message).toContain('not trusted in namespace "elsewhere"');
    expect<readonly (string | null)[]>(codes).toEqual([null, null, other, other]);
    for (const namespace of ["git", null])
      expect(distrustNamespace(trusted("any", { namespaces: null }), namespace)).toBeNull();
  });
});

describe("the document", () => {
  const full = aRoot(
    [
      trusted("ci", {
        scopes: ["app-*"],
        namespaces: ["file"],
        validFrom: now,
        validUntil: later(30),
        revocation: { at: later(1), reason: "lost", stillTrusted: [app.sha256] },
      }),
    ],
    { version: 7, thresholds: { build: 2 } },
  );

  test("comes back as it was", () => {
    const text = formatTrustRoot(full);
    const read = parseTrustRoot(text, "it");
    expect(formatTrustRoot(read)).toBe(text);
    expect(read).toEqual({ ...full, thresholds: { ...full.thresholds } });
  });

  type Keys = { keys: Record<string, unknown>[] } & Record<string, unknown>;
  const changed = (change: (root: Keys) => void): string => {
    const document = JSON.parse(formatTrustRoot(full)) as Keys;
    change(document);
    return JSON.stringify(document);
  };
  const first = (change: (key: Record<string, unknown>) => void) => (root: Keys) =>
    change(root.keys[1] ?? {});
  const zeros = toBase64(encodeSpki(new Uint8Array(32)));
  const table: readonly (readonly [string, string, string, RegExp])[] = [
    [
      "another schema",
      changed((root) => (root["schema"] = "waybill.trust-root/v2")),
      "trust_root_invalid",
      /schema is "waybill.trust-root\/v2"; wanted waybill.trust-root\/v1/u,
    ],
    ["no schema", changed((root) => delete root["schema"]), "trust_root_invalid", /schema is missing/u],
    [
      "version 0",
      changed((root) => (root["version"] = 0)),
      "trust_root_invalid",
      /version is 0; wanted a whole number from 1/u,
    ],
    ["version 1.5", changed((root) => (root["version"] = 1.5)), "trust_root_invalid", /version is 1.5/u],
    [
      "version beyond counting",
      changed((root) => (root["version"] = 2 ** 60)),
      "trust_root_invalid",
      /version is/u,
    ],
    [
      "a member that is not known",
      changed((root) => (root["deny"] = [])),
      "trust_root_invalid",
      /deny is not a known member/u,
    ],
    [
      "a member of a key that is not known",
      changed(first((key) => (key["deny"] = 1))),
      "trust_root_invalid",
      /keys\[1\]\.deny is not a known member/u,
    ],
    [
      "a second member",
      formatTrustRoot(full).replace('{"schema"', '{"version":9,"schema"'),
      "trust_root_invalid",
      /a second member "version"/u,
    ],
    [
      "two keys of one name",
      changed((root) => (root.keys[1] = { ...root.keys[1], name: "root" })),
      "trust_root_invalid",
      /two keys have the name root/u,
    ],
    [
      "one key twice",
      changed((root) => root.keys.push({ ...root.keys[1], name: "again" })),
      "trust_root_invalid",
      /two keys have the keyid/u,
    ],
    [
      "a keyid of another key",
      changed((root) => Object.assign(root.keys[1] ?? {}, { keyid: root.keys[0]?.["keyid"] })),
      "trust_root_invalid",
      /keyid of ci is not that of its public_key/u,
    ],
    ["a weak key", changed(first((key) => (key["public_key"] = zeros))), "key_weak", /small order/u],
    ["no key at all", changed(first((key) => (key["public_key"] = ""))), "key_invalid", /cut short/u],
    [
      "a name that is none",
      changed(first((key) => (key["name"] = "../x"))),
      "trust_root_invalid",
      /name is "..\/x"/u,
    ],
    [
      "a role that is none",
      changed(first((key) => (key["roles"] = ["Build"]))),
      "trust_root_invalid",
      /roles\[0\] is "Build"/u,
    ],
    [
      "a scope with a space",
      changed(first((key) => (key["scopes"] = ["a b"]))),
      "trust_root_invalid",
      /scopes\[0\]/u,
    ],
    [
      "a negated namespace",
      changed(first((key) => (key["namespaces"] = ["!file"]))),
      "trust_root_invalid",
      /namespaces\[0\]/u,
    ],
    [
      "a time without a zone",
      changed(first((key) => (key["valid_from"] = "2026-01-01T00:00:00"))),
      "trust_root_invalid",
      /valid_from/u,
    ],
    [
      "a day that no month has",
      changed(first((key) => (key["valid_until"] = "2027-02-30T00:00:00Z"))),
      "trust_root_invalid",
      /valid_until/u,
    ],
    [
      "a window turned round",
      changed(first((key) => (key["valid_until"] = "2020-01-01T00:00:00Z"))),
      "trust_root_invalid",
      /valid until before/u,
    ],
    [
      "a digest without its algorithm",
      changed(
        first((key) => (key["revoked"] = { at: "2020-01-01T00:00:00Z", still_trusted: ["a".repeat(64)] })),
      ),
      "trust_root_invalid",
      /still_trusted\[0\]/u,
    ],
    [
      "a threshold of nothing",
      changed((root) => (root["thresholds"] = { build: 0 })),
      "trust_root_invalid",
      /is 0; wanted a whole number from 1/u,
    ],
    [
      "a threshold under a name that no role has",
      changed((root) => (root["thresholds"] = { Build: 2 })),
      "trust_root_invalid",
      /thresholds has "Build", which is no role/u,
    ],
    [
      "more root keys wanted than there are",
      changed((root) => (root["thresholds"] = { root: 2 })),
      "trust_root_invalid",
      /nobody could ever change it/u,
    ],
    [
      "no root key",
      changed((root) => root.keys.shift()),
      "trust_root_invalid",
      /nobody could ever change it/u,
    ],
    ["no JSON", "{", "trust_root_invalid", /not the JSON we take/u],
  ];
  test.each(table)("%s", (_name, text, code, message) => {
    const refusal = refusalOf(() => parseTrustRoot(text, "the root"));
    expect([refusal.code as string, refusal.message]).toEqual([code, expect.stringMatching(message)]);
    expect(refusal.exitCode).toBe(2);
  });

  test("is signed as what it is called for ever: every root that somebody holds says it", () => {
    expect(envelopeOf(full, ["root"]).payloadType).toBe("application/vnd.waybill.trust-root+json");
  });

  test("under another payload type it is no root", () => {
    const envelope = { ...envelopeOf(full, ["root"]), payloadType: "application/vnd.in-toto+json" };
    expect(refusalOf(() => readSignedRoot(envelope, "it")).code).toBe("payload_type_mismatch");
  });
});
