import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { parsePolicy } from "../../src/trust/policy-document.ts";
import {
  ALICE,
  BOB,
  codesOf,
  envelopeOf,
  GOOD_CAPTURE,
  judge,
  MALLORY,
  POLICY,
  policyBytes,
  ruleWith,
  statement,
  underPolicy,
} from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const good = formatEnvelope(envelopeOf());
const parsed = (document: unknown): ReturnType<typeof parsePolicy> =>
  parsePolicy(policyBytes(document), "the policy", repositoryName);

describe("a policy document", () => {
  test("is taken as docs/policy.md shows it", () => {
    const page = readFileSync(join(import.meta.dir, "../../docs/policy.md"), "utf8");
    const example = /```json\n(.*?)```/su.exec(page)?.[1] ?? "";
    // The page has the beginnings of three keys.
    const keys = [ALICE, BOB, MALLORY].map((key) => formsOf(key.publicKey).base64);
    const policy = parsed(JSON.parse(example.replaceAll(/"[^"]*…"/gu, () => `"${keys.pop()}"`)));
    expect(policy.rules.map(({ name }) => name)).toEqual(["production", "elsewhere", "any image"]);
    expect(policy.rules[0]).toMatchObject({ maxAge: 30 * 86_400_000, level: "enforce" });
    expect(policy.rules[0]?.signers.map((group) => group.keys.length)).toEqual([1, 2]);
  });

  const bad: [string, unknown][] = [
    ["no object", []],
    ["another schema", { ...POLICY, schema: "waybill.policy/v2" }],
    ["no expiry", { ...POLICY, expires_at: undefined }],
    ["an expiry that is no instant", { ...POLICY, expires_at: "2027-02-30T00:00:00Z" }],
    ["an expiry in local time", { ...POLICY, expires_at: "2027-02-01T00:00:00" }],
    ["no version", { ...POLICY, version: undefined }],
    ["version zero", { ...POLICY, version: 0 }],
    ["no rules", { ...POLICY, rules: [] }],
    ["a misspelt member", { ...POLICY, ruels: [] }],
    ["a misspelt condition", ruleWith({ claen: true })],
    ["a condition that is no boolean", ruleWith({ clean: "yes" })],
    ["a repository that is none", ruleWith({ repositories: ["/tmp/here"] })],
    ["an unknown level", ruleWith({ level: "audit" })],
    ["signers without keys", ruleWith({ signers: [{ role: "ci", keys: [] }] })],
    [
      "a threshold that nobody can meet",
      ruleWith({ signers: [{ keys: [formsOf(ALICE.publicKey).hex], threshold: 2 }] }),
    ],
    ["a threshold of zero", ruleWith({ signers: [{ keys: [formsOf(ALICE.publicKey).hex], threshold: 0 }] })],
    [
      "one key in two spellings",
      ruleWith({ signers: [{ keys: [formsOf(ALICE.publicKey).hex, formsOf(ALICE.publicKey).ssh] }] }),
    ],
  ];
  test.each(bad)("with %s is refused", (_what, document) => {
    const refusal = refusalOf(() => parsed(JSON.parse(JSON.stringify(document))));
    expect([refusal.code, refusal.exitCode]).toEqual(["policy_invalid", 2]);
  });

  test("with a duplicate member is refused", () => {
    const text = JSON.stringify(POLICY).replace('"clean":true', '"clean":true,"clean":false');
    expect(refusalOf(() => parsePolicy(new TextEncoder().encode(text), "it", repositoryName)).code).toBe(
      "policy_invalid",
    );
  });

  test.each([
    ["a key of small order", "00".repeat(32), "key_weak"],
    ["a key that is none", "ssh-rsa AAAA", "key_invalid"],
    ["a private key", "00".repeat(64), "key_invalid"],
  ])("with %s is refused with 2", (_what, text, code) => {
    const refusal = refusalOf(() => parsed(ruleWith({ signers: [{ keys: [text] }] })));
    expect([refusal.code as string, refusal.exitCode]).toEqual([code, 2]);
  });
});

describe("repositories are compared by what they name", () => {
  const table: [string, string, boolean][] = [
    ["github.com/acme/app", "github.com/acme/app", true],
    ["https://github.com/acme/app.git", "github.com/acme/app", true],
    ["git@github.com:acme/app.git", "github.com/acme/app", true],
    ["ssh://git@github.com:22/acme/app/", "github.com/acme/app", true],
    ["https://user:secret@github.com/acme/app", "github.com/acme/app", true],
    ["GitHub.com/Acme/App", "github.com/acme/app", true],
    ["github.com/acme/*", "github.com/acme/app", true],
    ["github.com/**", "github.com/acme/app", true],
    ["github.com/acme/*", "github.com/acme/team/app", false],
    ["github.com/acme/*", "github.com/acme-evil/app", false],
    ["github.com/acme/app", "github.com/acme/app2", false],
    ["github.com/acme/app", "evil.example/github.com/acme/app", false],
    ["git.example.com/Acme/App", "git.example.com/acme/app", false],
    ["git.example.com/acme/app", "GIT.example.com/acme/app", true],
    ["github.com/acme/app", "github.com/Acme/App", true],
    ["dev.azure.com/Acme/app", "dev.azure.com/acme/App", true],
    ["ssh.dev.azure.com/v3/Acme/app", "git@ssh.dev.azure.com:v3/acme/App", true],
    ["git.example.com/github.com/Acme/App", "git.example.com/github.com/acme/app", false],
  ];
  test.each(table)("%s allows %s: %p", (pattern, found, allowed) => {
    const fields = { ...GOOD_CAPTURE.fields, source_repo: { value: found, source: "git", reason: null } };
    const predicate = { ...GOOD_CAPTURE, fields, ci: { ...GOOD_CAPTURE.ci, repo: found } };
    const text = formatEnvelope(envelopeOf(statement({ predicate })));
    // One of several is enough, wherever it stands.
    for (const repositories of [[pattern], [pattern, "example.com/x"], ["example.com/x", pattern]])
      expect(judge(text, underPolicy(ruleWith({ repositories }))).accepted.length > 0).toBe(allowed);
  });
});

describe("refs", () => {
  const table: [string[], string | null, string, boolean][] = [
    [["refs/heads/main"], "refs/heads/main", "main", true],
    [["refs/heads/main"], "refs/tags/main", "main", false],
    [["refs/heads/main"], null, "main", false],
    [["main"], null, "main", true],
    [["refs/tags/v*"], "refs/tags/v1.2", "v1.2", true],
    [["refs/tags/v*"], "refs/heads/v1.2", "v1.2", false],
    [["refs/heads/release/*"], "refs/heads/release/7", "release/7", true],
    [["refs/heads/release/*"], "refs/heads/release/7/x", "release/7/x", false],
    [["refs/heads/*", "refs/tags/v*"], "refs/tags/v9", "v9", true],
  ];
  test.each(table)("%p with %p (%s): %p", (refs, full, short, allowed) => {
    const fields = { ...GOOD_CAPTURE.fields, source_ref: { value: short, source: "git", reason: null } };
    const text = formatEnvelope(
      envelopeOf(statement({ predicate: { ...GOOD_CAPTURE, fields, ref_full: full } })),
    );
    expect(judge(text, underPolicy(ruleWith({ refs }))).accepted.length > 0).toBe(allowed);
  });
});

describe("rules", () => {
  const rules = [
    { name: "production", environments: ["prod", "prod-*"], clean: true },
    { name: "hermes", templates: ["hermes"], refs: ["refs/heads/hermes"] },
    { name: "hints", environments: ["staging"], level: "warn", refs: ["refs/tags/*"] },
  ];
  const at = (env: string | null, template: string | null): ReturnType<typeof judge> =>
    judge(good, underPolicy({ ...POLICY, rules }, { env, template }));

  test("of the place apply, all of them", () => {
    expect(at("prod-eu", "codex").accepted[0]?.rules).toEqual(["production"]);
    expect(codesOf(at("prod", "hermes"))).toEqual(["policy_denied"]);
  });

  test("that only warn are told and stop nothing", () => {
    const [accepted] = at("staging", "codex").accepted;
    expect(accepted?.warnings).toHaveLength(1);
    expect(accepted?.warnings[0]).toContain("refs/heads/main");
  });

  test("must exist for a place", () => {
    const verdict = at("laptop", "codex");
    expect(codesOf(verdict)).toEqual(["policy_denied"]);
    expect(verdict.refusals[0]?.message).toContain("no rule");
  });

  test("must exist for a place that is half known, which is told", () => {
    const [production, hermes] = rules;
    const where = (rule: unknown, env: string | null, template: string | null): string | undefined =>
      judge(good, underPolicy({ ...POLICY, rules: [rule] }, { env, template })).refusals[0]?.message;
    expect(where(production, "laptop", null)).toEndWith(
      'has no rule for template "any" in environment "laptop"',
    );
    expect(where(hermes, null, "codex")).toEndWith('has no rule for template "codex" in environment "any"');
  });

  test("apply all when nobody says which place it is", () => {
    expect(codesOf(at(null, null))).toEqual(["policy_denied"]);
  });

  test("accept claims of CI only where they say so", () => {
    const fields = { ...GOOD_CAPTURE.fields, source_ref: { value: "main", source: "ci", reason: null } };
    const text = formatEnvelope(
      envelopeOf(statement({ predicate: { ...GOOD_CAPTURE, fields, ref_full: null } })),
    );
    const refs = { refs: ["main"] };
    expect(codesOf(judge(text, underPolicy(ruleWith(refs))))).toEqual(["policy_denied"]);
    expect(judge(text, underPolicy(ruleWith({ ...refs, accept_ci_claims: true }))).accepted).toHaveLength(1);
  });
});

/** A group of signers of a rule. */
function group(keys: readonly (typeof ALICE)[], threshold = 1, role = "ci"): object {
  return { role, keys: keys.map((key) => formsOf(key.publicKey).ssh), threshold };
}

/** What is refused when nobody but the policy says whose signature counts. */
function judged(signers: readonly object[]): string[] {
  return codesOf(judge(good, { ...underPolicy(ruleWith({ signers })), trusted: null }));
}

describe("signers", () => {
  test("of the policy are enough by themselves, and no others are", () => {
    expect(judged([group([ALICE])])).toEqual([]);
    expect(judged([group([BOB])])).toEqual(["signature_invalid", "policy_denied"]);
  });

  test("must reach the threshold of every group", () => {
    expect(judged([group([ALICE, BOB], 2)])).toEqual(["policy_denied"]);
    expect(judged([group([ALICE]), group([MALLORY], 1, "review")])).toEqual(["policy_denied"]);
  });

  test("of the policy do not stand in for a trusted key", () => {
    const question = underPolicy(ruleWith({ signers: [group([ALICE])] }));
    const trusted = { keys: [BOB.publicKey], threshold: 1, distrusted: [] };
    expect(codesOf(judge(good, { ...question, trusted }))).toEqual(["threshold_not_met"]);
  });
});
