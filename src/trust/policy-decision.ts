import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { captureFacts, type CaptureFacts, type Stated } from "./attestation-capture.ts";
import { CAPTURE_TYPE } from "./attestation-types.ts";
import type { Policy, PolicyRule, RepositoryName, SignerGroup } from "./policy-document.ts";
import { globMatches } from "./policy-glob.ts";
import type { PublicKey } from "./public-key.ts";
import type { Statement } from "./statement.ts";

/** Where the image is going to run; null when nobody says, and then every rule that could apply does. */
export type Place = { readonly env: string | null; readonly template: string | null };

/** What is held against the policy: a statement and the distinct keys that signed it. */
export type Evidence = { readonly statement: Statement; readonly signers: readonly PublicKey[] };

export type PolicyDecision = {
  /** The rules that apply to the place, by name. */
  readonly rules: readonly string[];
  /** Every condition of an enforced rule that does not hold; none means that the policy allows it. */
  readonly refusals: readonly Failure[];
  /** The same of rules that only warn. */
  readonly warnings: readonly string[];
};

/** The rules for a place. */
export function rulesFor(policy: Policy, place: Place): PolicyRule[] {
  return policy.rules.filter(
    (rule) => covers(rule.environments, place.env) && covers(rule.templates, place.template),
  );
}

function covers(patterns: readonly string[] | null, name: string | null): boolean {
  return patterns === null || name === null || patterns.some((pattern) => globMatches(pattern, name));
}

/**
 * Holds evidence against every rule that applies; all of them must hold. A place without a rule is refused, and so
 * is every condition about something that the statement does not say: what nobody knows is never good.
 */
export function decide(
  policy: Policy,
  place: Place,
  evidence: Evidence,
  now: Date,
  repositoryName: RepositoryName,
): PolicyDecision {
  const rules = rulesFor(policy, place);
  const refusals: Failure[] = [];
  const warnings: string[] = [];
  if (rules.length === 0) refusals.push(uncovered(policy, place));
  for (const rule of rules) {
    for (const problem of problemsOf(rule, evidence, now, repositoryName)) {
      const message = `policy ${quoted(policy.name)}, rule ${quoted(rule.name)}: ${problem}`;
      if (rule.level === "warn") warnings.push(message);
      else
        refusals.push(
          new Failure("policy_denied", message, { hint: "see docs/policy.md for each condition" }),
        );
    }
  }
  return { rules: rules.map(({ name }) => name), refusals, warnings };
}

function uncovered(policy: Policy, place: Place): Failure {
  const where = `template ${quoted(place.template ?? "any")} in environment ${quoted(place.env ?? "any")}`;
  return new Failure("policy_denied", `policy ${quoted(policy.name)} has no rule for ${where}`, {
    hint: "what no rule covers is refused; add a rule for it",
  });
}

function problemsOf(
  rule: PolicyRule,
  { statement, signers }: Evidence,
  now: Date,
  repositoryName: RepositoryName,
): string[] {
  const problems: string[] = [];
  if (!rule.predicateTypes.includes(statement.predicateType))
    problems.push(
      `the predicate type is ${quoted(statement.predicateType)}; wanted ${listed(rule.predicateTypes)}`,
    );
  // The members of another predicate mean something else, so nothing is taken from it.
  const facts = captureFacts(statement.predicateType === CAPTURE_TYPE ? statement.predicate : {});
  const add = (problem: string | null): void => {
    if (problem !== null) problems.push(problem);
  };
  add(repositoryProblem(rule, facts, repositoryName));
  add(refProblem(rule, facts));
  if (rule.clean) add(wanted("the work tree is clean", facts.dirty === null ? null : !facts.dirty));
  if (rule.matchesCommit) add(wanted("the context is exactly the commit", facts.matchesCommit));
  if (rule.pushed) add(wanted("the commit was pushed", facts.pushed));
  for (const problem of ciProblems(rule, facts, repositoryName)) add(problem);
  if (rule.maxAge !== null) add(ageProblem(facts.attestedAt, rule.maxAge, now));
  for (const group of rule.signers) add(groupProblem(group, signers));
  return problems;
}

function wanted(what: string, found: boolean | null): string | null {
  if (found === true) return null;
  return found === null ? `nobody knows whether ${what}` : `it is not so that ${what}`;
}

function repositoryProblem(
  rule: PolicyRule,
  facts: CaptureFacts,
  repositoryName: RepositoryName,
): string | null {
  const { repository } = facts;
  if (rule.repositories === null) return null;
  if (repository === null) return "nobody knows the repository";
  if (isOnlyClaimed(repository, rule)) return claimProblem("the repository", repository);
  const name = repositoryName(repository.value);
  if (
    name !== null &&
    rule.repositories.some((pattern) => globMatches(asComparedBy(name, pattern), asComparedBy(name, name)))
  )
    return null;
  return `the repository is ${quoted(repository.value)}; wanted ${listed(rule.repositories)}`;
}

/** Hosts that treat `Acme/App` and `acme/app` as one; on any other they may belong to two people. */
const CASELESS_HOSTS =
  /^(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|(?:ssh\.)?dev\.azure\.com)\//u;

/** A repository, or a pattern of them, as the host of `name` compares it. */
function asComparedBy(name: string, text: string): string {
  return CASELESS_HOSTS.test(name) ? text.toLowerCase() : text;
}

/** Short patterns compare with the short name; `refs/…` ones need to know whether it is a branch or a tag. */
function refProblem(rule: PolicyRule, facts: CaptureFacts): string | null {
  const { ref, fullRef } = facts;
  if (rule.refs === null) return null;
  if (ref === null) return "nobody knows the branch or tag";
  if (isOnlyClaimed(ref, rule)) return claimProblem("the branch or tag", ref);
  const fits = (pattern: string): boolean =>
    pattern.startsWith("refs/")
      ? fullRef !== null && globMatches(pattern, fullRef)
      : globMatches(pattern, ref.value);
  if (rule.refs.some(fits)) return null;
  const shown = fullRef ?? ref.value;
  const unclear =
    fullRef === null && rule.refs.some((pattern) => pattern.startsWith("refs/"))
      ? " (the capture does not say whether it is a branch or a tag)"
      : "";
  return `the branch or tag is ${quoted(shown)}${unclear}; wanted ${listed(rule.refs)}`;
}

/** In a pull request's build CI names the contributor's branch, and that one may be called `main`. */
function isOnlyClaimed({ claimed }: Stated, { acceptCiClaims }: PolicyRule): boolean {
  return claimed && !acceptCiClaims;
}

function claimProblem(what: string, { value }: Stated): string {
  return `${what} ${quoted(value)} is only claimed by a variable or flag, git did not observe it`;
}

function ciProblems(rule: PolicyRule, facts: CaptureFacts, repositoryName: RepositoryName): string[] {
  if (rule.ci === null) return [];
  const { ci } = facts;
  if (ci === null) return ["it was captured outside of CI"];
  const problems: string[] = [];
  const { systems, runUrls } = rule.ci;
  if (systems !== null && !systems.includes(ci.system))
    problems.push(`the CI system is ${quoted(ci.system)}; wanted ${listed(systems)}`);
  if (runUrls !== null && !runUrls.some((pattern) => ci.runUrl !== null && globMatches(pattern, ci.runUrl)))
    problems.push(
      `the CI run is ${ci.runUrl === null ? "unknown" : quoted(ci.runUrl)}; wanted ${listed(runUrls)}`,
    );
  // A run of one repository that captured another one vouches for neither.
  const runs = ci.repository === null ? null : repositoryName(ci.repository);
  const captured = facts.repository === null ? null : repositoryName(facts.repository.value);
  if (runs === null || captured === null)
    problems.push("nobody knows whether the CI run belongs to the captured repository");
  else if (asComparedBy(captured, runs) !== asComparedBy(captured, captured))
    problems.push(`the CI run belongs to ${quoted(runs)}, the capture to ${quoted(captured)}`);
  if (ci.commit === null || ci.commit !== facts.commit)
    problems.push(
      `the CI run is for commit ${quoted(ci.commit ?? "unknown")}, the capture for ${quoted(facts.commit ?? "unknown")}`,
    );
  return problems;
}

function ageProblem(at: Date | null, maxAge: number, now: Date): string | null {
  if (at === null) return "nobody knows when it was attested";
  const age = now.getTime() - at.getTime();
  if (age < -LIMITS.clockSkewMs)
    return `it was attested at ${at.toISOString()}, which is more in the future than the ${shownDuration(LIMITS.clockSkewMs)} that clocks may differ`;
  return age > maxAge
    ? `it was attested at ${at.toISOString()}, longer ago than ${shownDuration(maxAge)}`
    : null;
}

function shownDuration(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  if (hours < 1) return `${milliseconds / 60_000} minutes`;
  return hours % 24 === 0 ? `${hours / 24} days` : `${Math.round(hours * 10) / 10} hours`;
}

function groupProblem(group: SignerGroup, signers: readonly PublicKey[]): string | null {
  const found = new Set(signers.map(({ keyid }) => keyid));
  const count = group.keys.filter(({ keyid }) => found.has(keyid)).length;
  if (count >= group.threshold) return null;
  return `${count} of the wanted ${group.threshold} keys of ${quoted(group.role)} signed`;
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 5).map((value) => printable(value, 120));
  return `${shown.join(" or ")}${values.length > 5 ? ` or ${values.length - 5} more` : ""}`;
}
