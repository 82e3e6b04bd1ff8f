import { boolean, decode, list, object, oneOf, optional, parsed, positive, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { CAPTURE_TYPE } from "./attestation-types.ts";
import { parsePublicKey, type PublicKey } from "./public-key.ts";
import { isTypeUri } from "./statement.ts";

/** What must be proven about an image before it is pinned. See docs/policy.md. */
export type Policy = {
  readonly name: string;
  readonly version: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly rules: readonly PolicyRule[];
};

/** A rule of one place; a condition that is null or empty asks for nothing. */
export type PolicyRule = {
  readonly name: string;
  readonly level: "enforce" | "warn";
  /** Patterns; null for every environment or template. */
  readonly environments: readonly string[] | null;
  readonly templates: readonly string[] | null;
  readonly predicateTypes: readonly string[];
  /** Patterns over normalised names, `github.com/acme/*`. */
  readonly repositories: readonly string[] | null;
  readonly refs: readonly string[] | null;
  readonly clean: boolean;
  readonly matchesCommit: boolean;
  readonly pushed: boolean;
  readonly ci: {
    readonly systems: readonly string[] | null;
    readonly runUrls: readonly string[] | null;
  } | null;
  /** Whether a repository or branch that only CI variables name may satisfy the rule. */
  readonly acceptCiClaims: boolean;
  /** Milliseconds. */
  readonly maxAge: number | null;
  /** Every group must be satisfied. */
  readonly signers: readonly SignerGroup[];
};

export type SignerGroup = {
  readonly role: string;
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
};

/** The repository that a URL or a `host/path` names in its one form, or null. Patterns keep their stars. */
export type RepositoryName = (text: string) => string | null;

export const POLICY_SCHEMA = "waybill.policy/v1";

const glob = string("a pattern of 1 to 500 characters", (text) => /^[\u0021-\u007e]{1,500}$/u.test(text));
const instant = parsed("an instant such as 2027-01-31T00:00:00Z", instantOf);

const RULE = object(
  {
    name: string("a name", (text) => text.trim() !== ""),
    level: optional(oneOf("enforce", "warn")),
    environments: optional(list(glob, LIMITS.trustEntries)),
    templates: optional(list(glob, LIMITS.trustEntries)),
    predicate_types: optional(list(string("a URI", isTypeUri), LIMITS.trustEntries)),
    repositories: optional(list(glob, LIMITS.trustEntries)),
    refs: optional(list(glob, LIMITS.trustEntries)),
    clean: optional(boolean()),
    matches_commit: optional(boolean()),
    pushed: optional(boolean()),
    ci: optional(
      object(
        {
          systems: optional(list(string(), LIMITS.trustEntries)),
          run_urls: optional(list(glob, LIMITS.trustEntries)),
        },
        "refused",
      ),
    ),
    accept_ci_claims: optional(boolean()),
    max_age: optional(parsed("a time such as 30d, 12h or 90m", durationOf)),
    signers: optional(
      list(
        object(
          {
            role: optional(string()),
            keys: list(string(), LIMITS.trustEntries),
            threshold: optional(positive()),
          },
          "refused",
        ),
        LIMITS.trustEntries,
      ),
    ),
  },
  "refused",
);

const DOCUMENT = object(
  {
    schema: string(quoted(POLICY_SCHEMA), (text) => text === POLICY_SCHEMA),
    name: string("a name", (text) => text.trim() !== ""),
    version: positive(),
    issued_at: instant,
    expires_at: instant,
    rules: list(RULE, LIMITS.trustEntries),
  },
  // A condition with a spelling mistake must not silently ask for nothing.
  "refused",
);

/**
 * A policy from its JSON. Throws Failure `policy_invalid`, `key_invalid` or `key_weak`. An empty list of patterns is
 * refused: it reads as "none allowed" to one person and as "not asked" to another.
 */
export function parsePolicy(payload: Uint8Array, from: string, repositoryName: RepositoryName): Policy {
  const decoded = decode(DOCUMENT, parseJson(payload, { what: from, code: "policy_invalid" }));
  if (!decoded.ok) throw invalid(`${from}: ${decoded.problems.join("; ")}`);
  const { name, version, issued_at: issuedAt, expires_at: expiresAt, rules } = decoded.value;
  if (rules.length === 0) throw invalid(`${from} has no rule`);
  if (expiresAt <= issuedAt) throw invalid(`${from} expires before it is issued`);
  return {
    name,
    version,
    issuedAt,
    expiresAt,
    rules: rules.map((rule) => ruleOf(rule, repositoryName)),
  };
}

type RuleDocument = NonNullable<ReturnType<typeof RULE>>;

function ruleOf(rule: RuleDocument, repositoryName: RepositoryName): PolicyRule {
  const from = `rule ${quoted(rule.name)}`;
  const some = <T>(values: readonly T[] | undefined, member: string): readonly T[] | null => {
    if (values?.length === 0)
      throw invalid(`${member} of ${from} is empty`, "leave it out to ask for nothing");
    return values ?? null;
  };
  const { ci } = rule;
  return {
    name: rule.name,
    level: rule.level ?? "enforce",
    environments: some(rule.environments, "environments"),
    templates: some(rule.templates, "templates"),
    predicateTypes: some(rule.predicate_types, "predicate_types") ?? [CAPTURE_TYPE],
    repositories:
      some(rule.repositories, "repositories")?.map((text) => {
        const repository = repositoryName(text);
        if (repository !== null) return repository;
        throw invalid(`repositories of ${from} has ${quoted(text)}, which names no repository`);
      }) ?? null,
    refs: some(rule.refs, "refs"),
    clean: rule.clean ?? false,
    matchesCommit: rule.matches_commit ?? false,
    pushed: rule.pushed ?? false,
    ci:
      ci === undefined
        ? null
        : { systems: some(ci.systems, "ci.systems"), runUrls: some(ci.run_urls, "ci.run_urls") },
    acceptCiClaims: rule.accept_ci_claims ?? false,
    maxAge: rule.max_age ?? null,
    signers: (some(rule.signers, "signers") ?? []).map((group) => groupOf(group, from)),
  };
}

function groupOf(group: NonNullable<RuleDocument["signers"]>[number], from: string): SignerGroup {
  const role = group.role ?? "signer";
  const keys = group.keys.map((text, index) =>
    parsePublicKey(text, `key ${index + 1} of ${quoted(role)} in ${from}`),
  );
  const distinct = new Set(keys.map(({ keyid }) => keyid)).size;
  if (distinct < keys.length) throw invalid(`${quoted(role)} in ${from} names one key twice`);
  const threshold = group.threshold ?? 1;
  if (threshold > distinct)
    throw invalid(`${quoted(role)} in ${from} wants ${threshold} of ${distinct} keys, which nobody can meet`);
  return { role, keys, threshold };
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationOf(text: string): number | null {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhd])$/u.exec(text) ?? [];
  const milliseconds = UNITS[unit];
  return milliseconds === undefined ? null : Number(count) * milliseconds;
}

function invalid(problem: string, hint?: string): Failure {
  return new Failure("policy_invalid", problem, { hint });
}
