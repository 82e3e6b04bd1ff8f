import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/base/json.ts";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import {
  codesOf,
  envelopeOf,
  GOOD_CAPTURE,
  judge,
  ruleWith,
  statement,
  underPolicy,
} from "../attestations.ts";

/** A run of CI vouches for its own repository and commit, and for nothing else that it happens to have captured. */

const RULE = ruleWith({ ci: { systems: ["github"] }, refs: undefined, max_age: undefined });

function judged(ci: Record<string, JsonValue>): string[] {
  const predicate = { ...GOOD_CAPTURE, ci: { ...GOOD_CAPTURE.ci, ...ci } };
  return codesOf(judge(formatEnvelope(envelopeOf(statement({ predicate }))), underPolicy(RULE)));
}

describe("a capture in CI", () => {
  test("of the run's own repository and commit is allowed", () => expect(judged({})).toEqual([]));

  const foreign: [string, Record<string, JsonValue>][] = [
    ["by another system", { system: "jenkins" }],
    ["by a run of another repository", { repo: "https://github.com/acme/other" }],
    ["by a run of a fork", { repo: "https://github.com/mallory/app" }],
    ["by a run of what would be any repository as a pattern", { repo: "https://github.com/acme/*" }],
    ["by a run of nobody knows what", { repo: null }],
    ["by a run for another commit", { commit: "b".repeat(40) }],
    ["by a run for no commit", { commit: null }],
  ];
  test.each(foreign)("%s is refused", (_what, ci) => expect(judged(ci)).toEqual(["policy_denied"]));
});
