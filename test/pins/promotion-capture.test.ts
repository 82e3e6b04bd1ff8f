import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { commitAll, git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { BOB, POLICY, policyBytes } from "../trust/attestations.ts";
import { Board, LIST, NEW, OLD, PROMOTE } from "./rows.ts";

const newFolder = scratchFolders();

/** A clone whose commit the origin has. */
function pushedClone(): string {
  const base = newFolder();
  const origin = makeRepository(join(base, "origin"));
  const clone = join(base, "clone");
  git("/", "clone", "-q", `file://${origin}`, clone);
  git(clone, "config", "remote.origin.url", "https://git.example.com/acme/app.git");
  return clone;
}

/** A pipeline of GitLab: nothing but the commit is checked out, and the branch is a claim. */
function pipeline(clone: string): Record<string, string> {
  git(clone, "checkout", "-q", "--detach");
  return {
    GITLAB_CI: "true",
    CI_PROJECT_URL: "https://git.example.com/acme/app",
    CI_COMMIT_SHA: git(clone, "rev-parse", "HEAD"),
    CI_COMMIT_REF_NAME: "main",
    CI_COMMIT_BRANCH: "main",
  };
}

const RULE = {
  repositories: ["git.example.com/acme/*"],
  refs: ["refs/heads/main"],
  clean: true,
  matches_commit: true,
  pushed: true,
  max_age: "1h",
};

/** capture, attest and promote with the compiled binary, under a policy with one rule. */
async function promoted(
  clone: string,
  rule: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly ran: Finished; readonly sent: boolean; readonly refusals: string }> {
  const cwd = newFolder();
  createKeyFile(join(cwd, "builder.key"));
  const now = Date.now();
  const dated = {
    ...POLICY,
    rules: [{ name: "images", ...rule }],
    issued_at: new Date(now - 1_000).toISOString(),
    expires_at: new Date(now + 86_400_000).toISOString(),
  };
  const policy = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(dated));
  writeFileSync(join(cwd, "policy.json"), formatEnvelope(policy));
  writeFileSync(join(cwd, "bob.pub"), spkiPem(BOB.publicKey));
  const capture = ["capture", clone, "--json", "--out", "capture.json"];
  expect((await runWaybill(capture, { cwd, env: { ...CLEAN_GIT, ...env } })).code).toBe(0);
  const attest = ["attest", NEW, "--capture", "capture.json", "--key", "builder.key", "--out", "image.json"];
  expect((await runWaybill(attest, { cwd })).code).toBe(0);
  const board = new Board(OLD);
  await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
  const evidence = ["--attestation", "image.json", "--key", "builder.key.pub"];
  const under = ["--policy", "policy.json", "--policy-key", "bob.pub"];
  const target = ["--target", `prod=${server.url}`, "--allow-insecure-http", "--json"];
  const ran = await runWaybill(
    ["promote", "--template", "codex", "--digest", NEW, ...target, ...evidence, ...under],
    { cwd, env: { WAYBILL_TOKEN_PROD: "a-token-of-prod" } },
  );
  const sent = server.requests.some(({ method }) => method === "POST");
  return { ran, sent, refusals: JSON.stringify(jsonOf(ran)["decisions"] ?? jsonOf(ran)) };
}

const CLEAN_GIT = { GIT_CONFIG_NOSYSTEM: "1" };

describe.skipIf(!HAS_GIT)("what a capture says is what a policy judges", () => {
  test("a clean, pushed commit of the wanted branch is promoted", async () => {
    const { ran, sent } = await promoted(pushedClone(), RULE);
    expect([ran.code, sent]).toEqual([0, true]);
  });

  const refused: readonly [string, (clone: string) => void, string][] = [
    ["of another branch", (clone) => git(clone, "checkout", "-q", "-b", "other"), "refs/heads/other"],
    [
      "of a tag of the branch's name",
      (clone) => {
        git(clone, "tag", "main");
        git(clone, "checkout", "-q", "refs/tags/main");
        git(clone, "branch", "-q", "-D", "main");
      },
      "refs/tags/main",
    ],
    ["that nobody else has", (clone) => void commitAll(clone, "mine"), "the commit was pushed"],
    ["with a changed file", (clone) => plantFiles(clone, { "app/main.ts": "x" }), "exactly the commit"],
  ];
  test.each(refused)("a commit %s is not, and nothing is sent", async (_what, change, why) => {
    const clone = pushedClone();
    change(clone);
    const { ran, sent, refusals } = await promoted(clone, RULE);
    expect([ran.code, sent]).toEqual([5, false]);
    expect(refusals).toContain(why);
  });

  test("a branch that only the CI system names counts where the rule says so, by its full name too", async () => {
    const clone = pushedClone();
    const env = pipeline(clone);
    expect((await promoted(clone, RULE, env)).ran.code).toBe(5);
    const trusting = { ...RULE, accept_ci_claims: true };
    expect((await promoted(clone, trusting, env)).ran.code).toBe(0);
    const tags = { ...trusting, refs: ["refs/tags/main"] };
    expect((await promoted(clone, tags, env)).ran.code).toBe(5);
  });
});

test.skipIf(!HAS_GIT)(
  "the full ref and the push stand in the statement of --format statement as well",
  async () => {
    const clone = pushedClone();
    const out = join(newFolder(), "statement.json");
    const ran = await runWaybill(["capture", clone, "--format", "statement", "--out", out], {
      env: CLEAN_GIT,
    });
    expect(ran.code).toBe(0);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({
      predicate: { ref_full: "refs/heads/main", ref_kind: "branch", pushed: true, matches_commit: true },
    });
  },
);
