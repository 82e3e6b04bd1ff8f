import { describe, expect, test } from "bun:test";
import type { JsonMap, JsonValue } from "../../src/base/json.ts";
import { captureFacts, captureStatement, type CaptureFacts } from "../../src/trust/attestation-capture.ts";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import type { Statement, Subject } from "../../src/trust/statement.ts";
import { APP, digestOf, GOOD_CAPTURE, NOW } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const TAR = digestOf("the tar");
const CAPTURE: JsonMap = {
  schema: "waybill.capture/v1",
  ok: true,
  exit_code: 0,
  build: { commit: "c" },
  error: null,
  digests: { tar_sha256: TAR, working_tree_hash: "w", git_tree: "t", dir_hash: "h" },
  pushed: true,
};
const artifact: Subject = { name: "app", digest: { sha256: APP } };
const tar: Subject = { name: "context.tar", digest: { sha256: TAR } };
const context: Subject = {
  name: "context",
  digest: { working_tree_hash: "w", gitTree: "t", dirHash: "h" },
};

const said = (changes: JsonMap = {}, about: Subject | null = artifact): Statement =>
  captureStatement({ ...CAPTURE, ...changes }, about, NOW);

describe("the statement of a capture", () => {
  test("says what was captured and when, and nothing of the run that printed it", () => {
    const { digests, pushed } = CAPTURE;
    expect(said()).toEqual({
      subjects: [artifact, tar, context],
      predicateType: CAPTURE_TYPE,
      predicate: {
        digests: digests ?? null,
        pushed: pushed ?? null,
        attested_at: "2026-11-21T12:00:00.000Z",
      },
    });
  });

  const digests = (changes: JsonMap): JsonMap => ({ digests: changes });
  const named = (name: string): Subject => ({ ...artifact, name });
  const table: [string, JsonMap, Subject | null, Subject[]][] = [
    ["without an artifact", {}, null, [tar, context]],
    ["of a tar alone", digests({ tar_sha256: TAR }), null, [tar]],
    ["of a tree alone", digests({ dir_hash: "h" }), null, [{ name: "context", digest: { dirHash: "h" } }]],
    [
      "with digests that are not there, or not known here",
      digests({ tar_sha256: TAR, git_tree: null, dir_hash: 7, blake9: "b" }),
      null,
      [tar],
    ],
    ["of an archive that is its own tar", digests({ tar_sha256: APP }), artifact, [artifact]],
    [
      "of an archive that is named by another digest",
      digests({ dir_hash: "h" }),
      { name: "app", digest: { sha512: "s" } },
      [
        { name: "app", digest: { sha512: "s" } },
        { name: "context", digest: { dirHash: "h" } },
      ],
    ],
    [
      "of an archive called as the tar",
      {},
      named("context.tar"),
      [named("context.tar"), { ...tar, name: "capture:context.tar" }, context],
    ],
    [
      "of an archive called as the context",
      {},
      named("context"),
      [named("context"), tar, { ...context, name: "capture:context" }],
    ],
  ];
  test.each(table)("%s is about these", (_what, changes, about, subjects) => {
    expect(said(changes, about).subjects).toEqual(subjects);
  });

  const bad: [string, JsonValue, string][] = [
    ["no object", [CAPTURE], "schema waybill.capture/v1"],
    ["nothing", null, "schema waybill.capture/v1"],
    ["another document", { ...CAPTURE, schema: "waybill.capture/v2" }, "schema waybill.capture/v1"],
    ["a capture that failed", { ...CAPTURE, ok: false }, "did not succeed"],
    ["a capture that does not say how it ended", { ...CAPTURE, ok: null }, "did not succeed"],
    ["a capture without digests", { ...CAPTURE, digests: null }, "has no digest"],
    ["a capture with no digest that is known", { ...CAPTURE, digests: { x: "y" } }, "has no digest"],
  ];
  test.each(bad)("is not made of %s", (_what, capture, why) => {
    const refusal = refusalOf(() => captureStatement(capture, artifact, NOW));
    expect([refusal.code, refusal.message]).toEqual(["input_invalid", expect.stringContaining(why)]);
  });
});

describe("what a capture says", () => {
  const nothing: CaptureFacts = {
    repository: null,
    ref: null,
    fullRef: null,
    commit: null,
    dirty: null,
    matchesCommit: null,
    pushed: null,
    ci: null,
    attestedAt: null,
  };

  test("is taken from where it stands", () => {
    const commit = "a".repeat(40);
    expect(captureFacts(GOOD_CAPTURE)).toStrictEqual({
      repository: { value: "github.com/acme/app", claimed: false },
      ref: { value: "main", claimed: false },
      fullRef: "refs/heads/main",
      commit,
      dirty: false,
      matchesCommit: true,
      pushed: true,
      ci: {
        system: "github",
        repository: "https://github.com/acme/app",
        commit,
        runUrl: "https://github.com/acme/app/actions/runs/7",
      },
      attestedAt: new Date("2026-11-21T11:00:00.000Z"),
    });
  });

  const silent: [string, JsonMap][] = [
    ["is empty", {}],
    ["has other kinds of values", { fields: [], ci: "github", pushed: 1, ref_full: 7, attested_at: 0 }],
    [
      "has empty values",
      {
        fields: { source_repo: { value: "", source: "git" }, source_commit: null, source_dirty: {} },
        ci: { system: "" },
        ref_full: "",
      },
    ],
  ];
  test.each(silent)("is nothing where it %s", (_what, predicate) => {
    expect(captureFacts(predicate)).toStrictEqual(nothing);
  });

  const facts = (ref: JsonValue, ci: JsonValue, full: JsonValue = null): string | null =>
    captureFacts({ fields: { source_ref: ref }, ci, ref_full: full }).fullRef;
  const main = { value: "main", source: "ci" };
  const refs: [string, JsonValue, JsonValue, string | null][] = [
    ["a branch that CI names", main, { ref_full: "refs/heads/main" }, "refs/heads/main"],
    ["a tag that CI names", main, { ref_full: "refs/tags/main" }, "refs/tags/main"],
    ["another one than the one that is claimed", main, { ref_full: "refs/heads/x" }, null],
    ["what only ends alike", { ...main, value: "x/main" }, { ref_full: "x/refs/heads/main" }, null],
    ["a branch that CI does not name in full", main, {}, null],
    ["one that git observed", { ...main, source: "git" }, { ref_full: "refs/heads/main" }, null],
    ["none at all", null, { ref_full: "refs/heads/main" }, null],
  ];
  test.each(refs)("of the full name of %s", (_what, ref, ci, wanted) => {
    expect(facts(ref, ci)).toBe(wanted);
    expect(facts(ref, ci, "refs/heads/git")).toBe("refs/heads/git");
  });
});
