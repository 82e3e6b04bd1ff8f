import { expect, test } from "bun:test";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import { codesOf, envelopeOf, GOOD_CAPTURE, judge, statement, underPolicy } from "../attestations.ts";

const field = (value: unknown, source = "git"): unknown => ({ value, source, reason: null });
const withField = (name: string, found: unknown): object => ({
  ...GOOD_CAPTURE,
  fields: { ...GOOD_CAPTURE.fields, [name]: found },
});

/** What a capture does not know must not pass for good. */
const unknown: [string, object][] = [
  ["dirty is null", withField("source_dirty", { value: null, source: "none", reason: "timeout" })],
  ["dirty is true", withField("source_dirty", field(true))],
  ["dirty is absent", withField("source_dirty", undefined)],
  ["dirty is a word", withField("source_dirty", field("false"))],
  ["dirty is zero", withField("source_dirty", field(0))],
  ["matches_commit is null", { ...GOOD_CAPTURE, matches_commit: null }],
  ["matches_commit is false", { ...GOOD_CAPTURE, matches_commit: false }],
  ["matches_commit is a word", { ...GOOD_CAPTURE, matches_commit: "true" }],
  ["pushed is null", { ...GOOD_CAPTURE, pushed: null }],
  ["pushed is absent", { ...GOOD_CAPTURE, pushed: undefined }],
  ["the repository is null", withField("source_repo", field(null))],
  ["the repository is only claimed", withField("source_repo", field("github.com/acme/app", "ci"))],
  ["the branch is null", withField("source_ref", field(null))],
  ["the branch is only claimed, as in a pull request", withField("source_ref", field("main", "ci"))],
  ["the branch is only claimed by a flag", withField("source_ref", field("main", "flag"))],
  ["it may be a tag called main", { ...GOOD_CAPTURE, ref_full: null }],
  ["there is no CI run", { ...GOOD_CAPTURE, ci: null }],
  ["the run has no URL", { ...GOOD_CAPTURE, ci: { ...GOOD_CAPTURE.ci, run_url: null } }],
  ["the run is for another commit", { ...GOOD_CAPTURE, ci: { ...GOOD_CAPTURE.ci, commit: "b".repeat(40) } }],
  ["nobody knows when", { ...GOOD_CAPTURE, attested_at: undefined }],
  ["the time is no time", { ...GOOD_CAPTURE, attested_at: "yesterday" }],
  ["the time is in the future", { ...GOOD_CAPTURE, attested_at: "2026-11-22T12:00:00Z" }],
  ["the predicate is empty", {}],
];

test.each(unknown)("when %s the policy refuses", (_what, predicate) => {
  const said = JSON.parse(JSON.stringify(predicate)) as typeof GOOD_CAPTURE;
  const verdict = judge(formatEnvelope(envelopeOf(statement({ predicate: said }))), underPolicy());
  expect(verdict.accepted).toEqual([]);
  expect(new Set(codesOf(verdict))).toEqual(new Set(["policy_denied"]));
  expect(verdict.refusals[0]?.exitCode).toBe(5);
});

test("and what is known and good passes", () =>
  expect(judge(formatEnvelope(envelopeOf()), underPolicy()).accepted).toHaveLength(1));
