import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/base/json.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import { envelopeOf, GOOD_CAPTURE, judge, ruleWith, statement, underPolicy } from "./attestations.ts";

/** Each condition of a rule by itself: the capture and the rule are good but for what a case changes. */

const PREFIX = 'the attestation: policy "production", rule "images": ';
const A = "a".repeat(40);
const B = "b".repeat(40);

type Changes = Record<string, JsonValue>;

function field(name: string, value: JsonValue, source = "git"): Changes {
  return { fields: { ...GOOD_CAPTURE.fields, [name]: { value, source, reason: null } } };
}

function ci(changes: Changes): Changes {
  return { ci: { ...GOOD_CAPTURE.ci, ...changes } };
}

/** What the one rule of the policy finds wrong, in its own words. */
function problems(predicate: Changes, rule: Changes = {}, said = {}): string[] {
  const text = formatEnvelope(
    envelopeOf(statement({ predicate: { ...GOOD_CAPTURE, ...predicate }, ...said })),
  );
  const { accepted, refusals } = judge(text, { predicateType: null, ...underPolicy(ruleWith(rule)) });
  expect(accepted.length > 0).toBe(refusals.length === 0);
  return refusals.map(({ message }) => message.replace(PREFIX, ""));
}

test("a good capture has no problem", () => {
  expect(problems({})).toEqual([]);
});

describe("a condition that does not hold says so, and nothing else", () => {
  const claimed = "is only claimed by a variable or flag, git did not observe it";
  const unknownRun = "nobody knows whether the CI run belongs to the captured repository";
  const wantedRepository = "wanted github.com/acme/*";
  const table: [string, Changes, Changes, string[]][] = [
    ["of no repository", field("source_repo", null), {}, ["nobody knows the repository", unknownRun]],
    [
      "of a claimed repository",
      field("source_repo", "github.com/acme/app", "ci"),
      {},
      [`the repository "github.com/acme/app" ${claimed}`],
    ],
    [
      "of a claimed repository that is accepted",
      field("source_repo", "github.com/acme/app", "ci"),
      { accept_ci_claims: true },
      [],
    ],
    [
      "of another repository",
      { ...field("source_repo", "github.com/evil/app"), ...ci({ repo: "github.com/evil/app" }) },
      {},
      [`the repository is "github.com/evil/app"; ${wantedRepository}`],
    ],
    [
      "of what names no repository",
      field("source_repo", "app"),
      {},
      [`the repository is "app"; ${wantedRepository}`, unknownRun],
    ],
    ["of no branch", field("source_ref", null), {}, ["nobody knows the branch or tag"]],
    ["of a claimed branch", field("source_ref", "main", "flag"), {}, [`the branch or tag "main" ${claimed}`]],
    [
      "of a claimed branch that is accepted",
      field("source_ref", "main", "ci"),
      { accept_ci_claims: true },
      [],
    ],
    [
      "of another branch",
      { ref_full: "refs/heads/x", ...field("source_ref", "x") },
      {},
      ['the branch or tag is "refs/heads/x"; wanted refs/heads/main'],
    ],
    [
      "of a branch or a tag",
      { ref_full: null },
      {},
      [
        'the branch or tag is "main" (the capture does not say whether it is a branch or a tag); wanted refs/heads/main',
      ],
    ],
    [
      "of a branch or a tag, where a short name would do as well",
      { ref_full: null },
      { refs: ["refs/heads/main", "dev"] },
      [
        'the branch or tag is "main" (the capture does not say whether it is a branch or a tag); wanted refs/heads/main or dev',
      ],
    ],
    [
      "of a short name that fits none",
      { ref_full: null },
      { refs: ["dev", "next"] },
      ['the branch or tag is "main"; wanted dev or next'],
    ],
    ["of any branch, where none is wanted", field("source_ref", null), { refs: null }, []],
    ["of a dirty work tree", field("source_dirty", true), {}, ["it is not so that the work tree is clean"]],
    [
      "of a work tree that nobody looked at",
      field("source_dirty", null),
      {},
      ["nobody knows whether the work tree is clean"],
    ],
    ["of a dirty work tree that may be", field("source_dirty", true), { clean: false }, []],
    [
      "of another context",
      { matches_commit: false },
      {},
      ["it is not so that the context is exactly the commit"],
    ],
    [
      "of a context that nobody compared",
      { matches_commit: null },
      {},
      ["nobody knows whether the context is exactly the commit"],
    ],
    ["of another context that may be", { matches_commit: false }, { matches_commit: false }, []],
    ["of a commit that was not pushed", { pushed: false }, {}, ["it is not so that the commit was pushed"]],
    [
      "of a commit that nobody looked for",
      { pushed: "yes" },
      {},
      ["nobody knows whether the commit was pushed"],
    ],
    ["of a commit that need not be pushed", { pushed: false }, { pushed: false }, []],
    ["outside of CI", { ci: null }, {}, ["it was captured outside of CI"]],
    ["outside of CI, where that may be", { ci: null }, { ci: null }, []],
    ["in a CI without a name", ci({ system: null }), {}, ["it was captured outside of CI"]],
    ["in another CI", ci({ system: "gitlab" }), {}, ['the CI system is "gitlab"; wanted github']],
    ["in any CI", ci({ system: "gitlab", run_url: "x" }), { ci: {} }, []],
    [
      "of another run",
      ci({ run_url: "https://x/1" }),
      {},
      ['the CI run is "https://x/1"; wanted https://github.com/acme/app/actions/runs/*'],
    ],
    [
      "of one of the runs that may be",
      {},
      { ci: { run_urls: ["https://x/*", "https://github.com/acme/app/actions/runs/*"] } },
      [],
    ],
    [
      "of no run",
      ci({ run_url: null }),
      {},
      ["the CI run is unknown; wanted https://github.com/acme/app/actions/runs/*"],
    ],
    [
      "of a run of another repository",
      ci({ repo: "github.com/acme/other" }),
      {},
      ['the CI run belongs to "github.com/acme/other", the capture to "github.com/acme/app"'],
    ],
    ["of a run of no repository", ci({ repo: null }), {}, [unknownRun]],
    ["of a run of what is no repository", ci({ repo: "app" }), {}, [unknownRun]],
    ["of a run of the same repository in capitals", ci({ repo: "https://GitHub.com/Acme/App" }), {}, []],
    [
      "of a run of another commit",
      ci({ commit: B }),
      {},
      [`the CI run is for commit "${B}", the capture for "${A}"`],
    ],
    [
      "of a run of no commit",
      ci({ commit: null }),
      {},
      [`the CI run is for commit "unknown", the capture for "${A}"`],
    ],
    [
      "of no commit",
      field("source_commit", null),
      {},
      [`the CI run is for commit "${A}", the capture for "unknown"`],
    ],
    [
      "of no commit in a run of none",
      { ...field("source_commit", null), ...ci({ commit: null }) },
      {},
      ['the CI run is for commit "unknown", the capture for "unknown"'],
    ],
    ["of no time", { attested_at: "yesterday" }, {}, ["nobody knows when it was attested"]],
    ["of no time, where any will do", { attested_at: "yesterday" }, { max_age: null }, []],
    ["as old as it may be", { attested_at: "2026-10-22T12:00:00.000Z" }, {}, []],
    [
      "older than it may be",
      { attested_at: "2026-10-22T11:59:59.999Z" },
      {},
      ["it was attested at 2026-10-22T11:59:59.999Z, longer ago than 30 days"],
    ],
    [
      "older than hours",
      { attested_at: "2026-11-20T12:00:00.000Z" },
      { max_age: "12h" },
      ["it was attested at 2026-11-20T12:00:00.000Z, longer ago than 12 hours"],
    ],
    [
      "older than an hour",
      { attested_at: "2026-11-20T12:00:00.000Z" },
      { max_age: "60m" },
      ["it was attested at 2026-11-20T12:00:00.000Z, longer ago than 1 hours"],
    ],
    [
      "older than minutes",
      { attested_at: "2026-11-20T12:00:00.000Z" },
      { max_age: "30m" },
      ["it was attested at 2026-11-20T12:00:00.000Z, longer ago than 30 minutes"],
    ],
    [
      "older than an hour and a half",
      { attested_at: "2026-11-20T12:00:00.000Z" },
      { max_age: "90m" },
      ["it was attested at 2026-11-20T12:00:00.000Z, longer ago than 1.5 hours"],
    ],
    ["by a clock that is ahead, a little", { attested_at: "2026-11-21T12:05:00.000Z" }, {}, []],
    [
      "by a clock that is ahead, too much",
      { attested_at: "2026-11-21T12:05:00.001Z" },
      {},
      [
        "it was attested at 2026-11-21T12:05:00.001Z, which is more in the future than the 5 minutes that clocks may differ",
      ],
    ],
  ];
  test.each(table)("%s", (_what, predicate, rule, wanted) => {
    const changes = Object.fromEntries(
      Object.entries(rule).map(([name, value]) => [name, value ?? undefined]),
    );
    expect(problems(predicate, changes as Changes)).toEqual(wanted);
  });
});

describe("what is wanted is listed", () => {
  test("up to five", () => {
    expect(problems({}, { refs: ["a", "b", "c", "d", "e"] })).toEqual([
      'the branch or tag is "refs/heads/main"; wanted a or b or c or d or e',
    ]);
    expect(problems({}, { refs: ["a", "b", "c", "d", "e", "f"] })).toEqual([
      'the branch or tag is "refs/heads/main"; wanted a or b or c or d or e or 1 more',
    ]);
    expect(problems({}, { refs: ["a", "b", "c", "d", "e", "f", "g"] })).toEqual([
      'the branch or tag is "refs/heads/main"; wanted a or b or c or d or e or 2 more',
    ]);
  });
});

describe("another statement than a capture", () => {
  const TYPE = "https://slsa.dev/provenance/v1";

  test("is refused where captures are wanted, and its members are not read as a capture's", () => {
    const found = problems({}, {}, { predicateType: TYPE });
    expect(found[0]).toStartWith(`the predicate type is "${TYPE}"; wanted https://waybill.invalid/`);
    expect(found.slice(1)).toEqual([
      "nobody knows the repository",
      "nobody knows the branch or tag",
      "nobody knows whether the work tree is clean",
      "nobody knows whether the context is exactly the commit",
      "nobody knows whether the commit was pushed",
      "it was captured outside of CI",
      "nobody knows when it was attested",
    ]);
  });
});
