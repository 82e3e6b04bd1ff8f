import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { isImageDigest, isSha256 } from "../../src/base/digest.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import {
  ALICE,
  BOB,
  digestOf,
  envelopeOf,
  GOOD_CAPTURE,
  MALLORY,
  POLICY,
  policyBytes,
  ruleWith,
  statement,
} from "../trust/attestations.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { Board, LIST, NEW, OLD, PROMOTE } from "./rows.ts";

const sha256 = NEW.slice("sha256:".length);
if (!isSha256(sha256) || !isImageDigest(NEW)) throw new Error("the test's own digest");
const ABOUT_NEW = { subjects: [{ name: null, digest: { sha256 } }] };

const FRESH = { ...GOOD_CAPTURE, attested_at: new Date().toISOString() };

/** Evidence by Alice that is good for NEW, and a policy by Bob; each test spoils what it is about. */
function evidence(
  policy: unknown = POLICY,
  said = statement({ ...ABOUT_NEW, predicate: FRESH }),
  key = ALICE,
): TemporaryFolder {
  const folder = temporaryFolder();
  const day = 86_400_000;
  const dated = {
    ...(policy as object),
    issued_at: new Date(Date.now() - day).toISOString(),
    expires_at: new Date(Date.now() + day).toISOString(),
  };
  writeFileSync(folder.at("image.json"), formatBundle(envelopeOf(said, key)));
  const signed = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(dated));
  writeFileSync(folder.at("policy.json"), formatEnvelope(signed));
  writeFileSync(folder.at("alice.pub"), spkiPem(ALICE.publicKey));
  writeFileSync(folder.at("bob.pub"), spkiPem(BOB.publicKey));
  return folder;
}

const EVIDENCE = ["--attestation", "image.json", "--key", "alice.pub"];
const POLICED = [...EVIDENCE, "--policy", "policy.json", "--policy-key", "bob.pub"];

type Seen = { readonly ran: Finished; readonly requests: readonly string[]; readonly digest: string | null };

async function promote(
  folder: TemporaryFolder,
  args: readonly string[],
  before: string | null = OLD,
  form: readonly string[] = ["--json"],
): Promise<Seen> {
  const board = new Board(before);
  await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
  const target = ["--target", `prod=${server.url}`, "--allow-insecure-http", ...form];
  const ran = await runWaybill(["promote", "--template", "codex", "--digest", NEW, ...target, ...args], {
    cwd: folder.path,
    env: { WAYBILL_TOKEN_PROD: "a-token-of-prod" },
  });
  return { ran, requests: server.requests.map(({ method }) => method), digest: board.digest };
}

function codeOf({ ran }: Seen): [number, string | undefined] {
  return [ran.code, (jsonOf(ran)["error"] as { code: string } | undefined)?.code];
}

describe("a promotion with evidence", () => {
  test("that holds and that the policy allows is made", async () => {
    using folder = evidence();
    const seen = await promote(folder, POLICED);
    expect(codeOf(seen)).toEqual([0, undefined]);
    expect(seen.digest).toBe(NEW);
    expect(jsonOf(seen.ran)).toMatchObject({
      policy: { name: "production", version: 1 },
      decisions: [{ env: "prod", template: "codex", allowed: true, rules: ["images"] }],
    });
  });

  test("needs no policy: then it is the digest, the signature and the kind of statement", async () => {
    using folder = evidence();
    expect(codeOf(await promote(folder, EVIDENCE))).toEqual([0, undefined]);
    using receipt = evidence(POLICY, statement({ ...ABOUT_NEW, predicateType: PROMOTION_TYPE }));
    expect(codeOf(await promote(receipt, EVIDENCE))).toEqual([6, "predicate_type_mismatch"]);
  });

  const other = { subjects: [{ name: "codex", digest: { sha256: digestOf("other") } }] };
  const shut: [string, () => TemporaryFolder, readonly string[], number, string][] = [
    ["about another image", () => evidence(POLICY, statement(other)), EVIDENCE, 6, "subject_mismatch"],
    [
      "about another image, also where a policy would refuse too",
      () => evidence(ruleWith({ refs: ["refs/tags/*"] }), statement(other)),
      POLICED,
      6,
      "subject_mismatch",
    ],
    ["by a stranger", () => evidence(POLICY, undefined, MALLORY), POLICED, 6, "signature_invalid"],
    ["from another branch", () => evidence(ruleWith({ refs: ["refs/tags/*"] })), POLICED, 5, "policy_denied"],
    [
      "for another environment",
      () => evidence(ruleWith({ environments: ["lab"] })),
      POLICED,
      5,
      "policy_denied",
    ],
    [
      "for another template",
      () => evidence(ruleWith({ templates: ["hermes"] })),
      POLICED,
      5,
      "policy_denied",
    ],
    [
      "from an unknown work tree",
      () => evidence(POLICY, statement({ ...ABOUT_NEW, predicate: {} })),
      POLICED,
      5,
      "policy_denied",
    ],
    [
      "that is missing",
      () => evidence(),
      ["--key", "alice.pub", "--attestation", "none.json"],
      7,
      "path_not_found",
    ],
    [
      "that the policy demands and nobody gave",
      () => evidence(),
      ["--policy", "policy.json", "--policy-key", "bob.pub"],
      7,
      "no_evidence",
    ],
    [
      "under a policy of a stranger",
      () => evidence(),
      [...EVIDENCE, "--policy", "policy.json"],
      6,
      "signature_invalid",
    ],
    ["and nobody to trust", () => evidence(), ["--attestation", "image.json"], 2, "flag_missing"],
    ["forgotten beside its key", () => evidence(), ["--key", "alice.pub"], 2, "flags_contradict"],
    [
      "forgotten beside its kind",
      () => evidence(),
      ["--predicate-type", "https://a.example/b"],
      2,
      "flags_contradict",
    ],
    [
      "forgotten beside the key of a policy",
      () => evidence(),
      ["--policy-key", "bob.pub"],
      2,
      "flags_contradict",
    ],
  ];
  for (const dryRun of [[], ["--dry-run"]]) {
    test.each(shut)(
      `%s is refused before a byte is sent ${dryRun.join("")}`,
      async (_what, make, args, code, failure) => {
        using folder = make();
        const seen = await promote(folder, [...args, ...dryRun]);
        expect(codeOf(seen)).toEqual([code, failure]);
        expect(seen.requests).toEqual([]);
      },
    );
  }

  test("is one of several files, whichever is about the image", async () => {
    using folder = evidence();
    writeFileSync(folder.at("other.json"), formatEnvelope(envelopeOf(statement(other))));
    expect(codeOf(await promote(folder, [...POLICED, "--attestation", "other.json"]))).toEqual([
      0,
      undefined,
    ]);
  });

  test("under a rule that warns is made, and the warning is told", async () => {
    using folder = evidence(ruleWith({ level: "warn", refs: ["refs/tags/*"] }));
    const seen = await promote(folder, POLICED);
    expect(codeOf(seen)).toEqual([0, undefined]);
    expect(seen.ran.stderr).toContain("warning: prod: policy");
  });

  test("keeps its kind when the policy names the signers", async () => {
    using folder = evidence(ruleWith({ signers: [{ role: "ci", keys: [spkiPem(ALICE.publicKey)] }] }));
    const flags = ["--attestation", "image.json", "--policy", "policy.json", "--policy-key", "bob.pub"];
    expect(codeOf(await promote(folder, [...flags, "--predicate-type", CAPTURE_TYPE]))).toEqual([
      0,
      undefined,
    ]);
  });
});

describe("a dry run", () => {
  const cases: [string, string | null, number, string][] = [
    ["of a change is 20", OLD, 20, "would_change"],
    ["of a first pin is 20", null, 20, "would_change"],
    ["of what is there already is 0", NEW, 0, "already"],
  ];
  test("says in words why it is allowed", async () => {
    using folder = evidence(ruleWith({ name: "tags", level: "warn", refs: ["refs/tags/*"] }));
    const { ran, requests } = await promote(folder, [...POLICED, "--dry-run"], OLD, []);
    expect([ran.code, requests]).toEqual([20, ["GET"]]);
    const [verdict, rule, given, warning, leg] = ran.stdout.split("\n");
    expect(verdict).toBe('ALLOWED codex in prod, under "production" version 1');
    expect(rule).toBe("  rule     tags (warn)");
    expect(given).toStartWith(`  evidence ${CAPTURE_TYPE} sha256:`);
    expect(given).toEndWith(`, signed by ${ALICE.publicKey.keyid}`);
    expect(warning).toContain('  warning  policy "production", rule "tags": the branch or tag is');
    expect(leg).toStartWith("CHANGE  prod: codex");
  });

  test("says in words why it is refused, and that no place has a rule", async () => {
    using folder = evidence(ruleWith({ refs: ["refs/tags/*"], repositories: ["github.com/other/*"] }));
    const { ran, requests } = await promote(folder, [...POLICED, "--dry-run"], OLD, []);
    expect([ran.code, requests]).toEqual([5, []]);
    const lines = ran.stdout.trimEnd().split("\n");
    expect(lines.slice(0, 2)).toEqual([
      'REFUSED codex in prod, under "production" version 1',
      "  rule     images (enforce)",
    ]);
    expect(lines.slice(2)).toEqual([
      expect.stringContaining("  refusal  policy_denied: "),
      expect.stringContaining("  refusal  policy_denied: "),
    ]);
    // A run that was meant to act says the same as errors, and has no result.
    expect((await promote(folder, POLICED, OLD, [])).ran.stdout).toBe("");

    using elsewhere = evidence(ruleWith({ environments: ["lab"] }));
    const uncovered = await promote(elsewhere, [...POLICED, "--dry-run"], OLD, []);
    expect(uncovered.ran.stdout).toContain("has no rule for template");
  });

  test("names each rule once, however many statements hold", async () => {
    using folder = evidence(ruleWith({ level: "warn", refs: ["refs/tags/*"] }));
    writeFileSync(
      folder.at("more.json"),
      formatEnvelope(envelopeOf(statement({ ...ABOUT_NEW, predicate: { ...FRESH, x: 1 } }))),
    );
    const { ran } = await promote(folder, [...POLICED, "--attestation", "more.json", "--dry-run"]);
    const [decision] = jsonOf(ran)["decisions"] as Record<string, unknown[]>[];
    expect([decision?.["rules"], decision?.["warnings"]?.length, decision?.["evidence"]?.length]).toEqual([
      ["images"],
      1,
      2,
    ]);
  });

  test.each(cases)("%s, and only reads", async (_what, before, code, outcome) => {
    using folder = evidence();
    const seen = await promote(folder, [...POLICED, "--dry-run"], before);
    expect(seen.ran.code).toBe(code);
    expect(seen.requests).toEqual(["GET"]);
    expect(seen.digest).toBe(before);
    expect(jsonOf(seen.ran)).toMatchObject({
      legs: [{ env: "prod", template: "codex", outcome, error: null }],
      decisions: [{ allowed: true }],
    });
  });
});
