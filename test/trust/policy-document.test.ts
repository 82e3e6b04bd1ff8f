import { describe, expect, test } from "bun:test";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { parsePolicy, type Policy, type PolicyRule } from "../../src/trust/policy-document.ts";
import { ALICE, BOB, POLICY, policyBytes, ruleWith } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const read = (document: unknown): Policy => parsePolicy(policyBytes(document), "the policy", repositoryName);
const ruleOf = (rule: object): PolicyRule | undefined => read({ ...POLICY, rules: [rule] }).rules[0];
const refused = (document: unknown): string => {
  const refusal = refusalOf(() => read(document));
  expect([refusal.code, refusal.exitCode]).toEqual(["policy_invalid", 2]);
  return refusal.message;
};
const [alice, bob] = [ALICE, BOB].map((key) => formsOf(key.publicKey).ssh);

describe("a rule", () => {
  const SILENT: PolicyRule = {
    name: "any",
    level: "enforce",
    environments: null,
    templates: null,
    predicateTypes: [CAPTURE_TYPE],
    repositories: null,
    refs: null,
    clean: false,
    matchesCommit: false,
    pushed: false,
    ci: null,
    acceptCiClaims: false,
    maxAge: null,
    signers: [],
  };

  test("that says nothing asks for a capture and nothing else", () => {
    expect(ruleOf({ name: "any" })).toStrictEqual(SILENT);
    expect(ruleOf({ name: "any", level: "enforce" })).toStrictEqual(SILENT);
    expect(ruleOf({ name: "any", ci: {} })).toStrictEqual({
      ...SILENT,
      ci: { systems: null, runUrls: null },
    });
  });

  test("that says everything is taken at its word", () => {
    const said = {
      name: " a rule ",
      level: "warn",
      environments: ["prod"],
      templates: ["app", "lib"],
      predicate_types: [PROMOTION_TYPE],
      repositories: ["https://github.com/acme/app.git"],
      refs: ["main"],
      clean: true,
      matches_commit: true,
      pushed: true,
      ci: { systems: ["github"], run_urls: ["https://ci/*"] },
      accept_ci_claims: true,
      max_age: "12h",
      signers: [{ keys: [alice] }, { role: "review", keys: [bob, alice], threshold: 2 }],
    };
    expect(ruleOf(said)).toStrictEqual({
      name: " a rule ",
      level: "warn",
      environments: ["prod"],
      templates: ["app", "lib"],
      predicateTypes: [PROMOTION_TYPE],
      repositories: ["github.com/acme/app"],
      refs: ["main"],
      clean: true,
      matchesCommit: true,
      pushed: true,
      ci: { systems: ["github"], runUrls: ["https://ci/*"] },
      acceptCiClaims: true,
      maxAge: 43_200_000,
      signers: [
        { role: "signer", keys: [ALICE.publicKey], threshold: 1 },
        { role: "review", keys: [BOB.publicKey, ALICE.publicKey], threshold: 2 },
      ],
    });
  });

  test.each([
    ["1m", 60_000],
    ["90m", 5_400_000],
    ["1h", 3_600_000],
    ["30d", 2_592_000_000],
    ["99999d", 8_639_913_600_000],
  ])("may ask for an age of %s", (age, milliseconds) => {
    expect(ruleOf({ name: "any", max_age: age })?.maxAge).toBe(milliseconds);
  });

  test.each(["", "0d", "030d", "100000d", "x30d", "30dd", "30", "d", "-1d", "1.5d", "1w", "1D"])(
    "may not ask for an age of %j",
    (age) => expect(refused(ruleWith({ max_age: age }))).toContain("a time such as 30d, 12h or 90m"),
  );

  const long = "a".repeat(500);
  test("has patterns that can be seen, up to 500 characters and 1,000 of them", () => {
    expect(ruleOf({ name: "any", refs: ["!", "~", long] })?.refs).toEqual(["!", "~", long]);
    for (const pattern of ["", `${long}a`, "a b", " a", "a ", "ä", "a\u007f", "a\n"])
      expect(refused(ruleWith({ refs: [pattern] }))).toContain("a pattern of 1 to 500 characters");
    const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at}`);
    expect(ruleOf({ name: "any", refs: many(1_000) })?.refs).toHaveLength(1_000);
    expect(refused(ruleWith({ refs: many(1_001) }))).toContain("at most 1000 entries");
  });

  const empty: [string, Record<string, unknown>][] = [
    ["environments", { environments: [] }],
    ["templates", { templates: [] }],
    ["predicate_types", { predicate_types: [] }],
    ["repositories", { repositories: [] }],
    ["refs", { refs: [] }],
    ["ci.systems", { ci: { systems: [] } }],
    ["ci.run_urls", { ci: { run_urls: [] } }],
    ["signers", { signers: [] }],
  ];
  test.each(empty)("with an empty list of %s is refused by its name", (member, changes) => {
    expect(refused(ruleWith(changes))).toBe(`${member} of rule "images" is empty`);
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ["a name of white space", { name: " \t" }, "rules[0].name"],
    ["a misspelt member of ci", { ci: { system: ["github"] } }, "rules[0].ci.system is not a known member"],
    [
      "a misspelt member of a group",
      { signers: [{ keys: [alice], treshold: 1 }] },
      "rules[0].signers[0].treshold is not a known member",
    ],
    [
      "one key twice in a group without a name",
      { signers: [{ keys: [alice, alice] }] },
      '"signer" in rule "images" names one key twice',
    ],
    [
      "one key twice in a group with one",
      { signers: [{ role: "review", keys: [alice, alice] }] },
      '"review" in rule "images" names one key twice',
    ],
  ];
  test.each(bad)("with %s is refused", (_what, changes, message) => {
    expect(refused(ruleWith(changes))).toContain(message);
  });

  test("says which of its keys is none", () => {
    const refusal = refusalOf(() => read(ruleWith({ signers: [{ role: "review", keys: [alice, "x"] }] })));
    expect([refusal.code, refusal.message]).toEqual([
      "key_invalid",
      expect.stringMatching(/^key 2 of "review" in rule "images" /u),
    ]);
  });
});

test("a policy has a name, and expires after it is issued", () => {
  expect(refused({ ...POLICY, name: "  " })).toContain("name is");
  for (const at of [POLICY["issued_at"], "2026-01-01T00:00:00Z"])
    expect(refused({ ...POLICY, expires_at: at })).toContain("expires before it is issued");
  const soon = { ...POLICY, issued_at: "2026-11-01T00:00:00Z", expires_at: "2026-11-01T00:00:01Z" };
  expect(read(soon).expiresAt).toEqual(new Date("2026-11-01T00:00:01Z"));
});
