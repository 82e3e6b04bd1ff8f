import { createHash } from "node:crypto";
import { isSha256, type Sha256 } from "../../src/base/digest.ts";
import type { JsonValue } from "../../src/base/json.ts";
import { parseAttestations } from "../../src/trust/attestation.ts";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { signEnvelope, type Envelope } from "../../src/trust/dsse.ts";
import { parsePolicy } from "../../src/trust/policy-document.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE, type VerifiedPolicy } from "../../src/trust/policy.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE, type Statement } from "../../src/trust/statement.ts";
import {
  verifyAttestations,
  type AttestationQuestion,
  type AttestationVerdict,
} from "../../src/trust/verify-attestation.ts";
import type { TrustedSigners } from "../../src/trust/trusted-signers.ts";
import { repositoryName } from "../../src/commands/policy-flags.ts";

/** Fixed keys, so that a failure repeats. */
export const ALICE: SigningKey = keyOf("alice");
export const BOB: SigningKey = keyOf("bob");
export const MALLORY: SigningKey = keyOf("mallory");

function keyOf(name: string): SigningKey {
  return new SigningKey(new Uint8Array(createHash("sha256").update(name).digest()), name);
}

export const NOW: Date = new Date("2026-11-21T12:00:00Z");

export function digestOf(text: string): Sha256 {
  const hex = createHash("sha256").update(text).digest("hex");
  if (isSha256(hex)) return hex;
  throw new Error("no digest");
}

export const APP: Sha256 = digestOf("app");

/** The predicate of a capture in which everything is as a policy wants it. */
export const GOOD_CAPTURE: Record<string, JsonValue> & {
  readonly fields: Record<string, JsonValue>;
  readonly ci: Record<string, JsonValue>;
} = {
  fields: {
    source_repo: { value: "github.com/acme/app", source: "git", reason: null },
    source_commit: { value: "a".repeat(40), source: "git", reason: null },
    source_ref: { value: "main", source: "git", reason: null },
    source_dirty: { value: false, source: "git", reason: null },
  },
  ref_full: "refs/heads/main",
  matches_commit: true,
  pushed: true,
  ci: {
    system: "github",
    repo: "https://github.com/acme/app",
    commit: "a".repeat(40),
    ref: "main",
    run_url: "https://github.com/acme/app/actions/runs/7",
  },
  attested_at: "2026-11-21T11:00:00.000Z",
};

export function statement(changes: Partial<Statement> = {}): Statement {
  return {
    subjects: [{ name: "app", digest: { sha256: APP } }],
    predicateType: CAPTURE_TYPE,
    predicate: GOOD_CAPTURE,
    ...changes,
  };
}

export function envelopeOf(said: Statement = statement(), key: SigningKey = ALICE): Envelope {
  return signEnvelope(key, STATEMENT_PAYLOAD_TYPE, formatStatement(said));
}

/** A bundle as parsed JSON, to be changed by a test. */
export type BundleDocument = {
  mediaType: string;
  verificationMaterial: Record<string, unknown> & { publicKey?: Record<string, unknown> };
  dsseEnvelope: {
    payload: string;
    payloadType: string;
    signatures: Record<string, unknown>[];
  } & Record<string, unknown>;
} & Record<string, unknown>;

export function bundleOf(said: Statement = statement(), key: SigningKey = ALICE): BundleDocument {
  return JSON.parse(formatBundle(envelopeOf(said, key))) as BundleDocument;
}

type Asked = Partial<Omit<AttestationQuestion, "trusted">> & { readonly trusted?: TrustedSigners | null };

const ONLY_ALICE: TrustedSigners = { keys: [ALICE.publicKey], threshold: 1, distrusted: [] };

/** The decision about a text; Alice is trusted and `app` is wanted unless the test says otherwise. */
export function judge(
  text: string | Uint8Array,
  { trusted = ONLY_ALICE, ...question }: Asked = {},
  byLines = false,
): AttestationVerdict {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return verifyAttestations(parseAttestations(bytes, "the attestation", byLines), {
    subject: APP,
    predicateType: null,
    trusted: () => trusted,
    policy: null,
    now: NOW,
    ...question,
  });
}

export function codesOf(verdict: AttestationVerdict): string[] {
  return verdict.refusals.map(({ code }) => code);
}

export type PolicyDocument = Record<string, unknown> & { rules: Record<string, unknown>[] };

export const POLICY: PolicyDocument = {
  schema: "waybill.policy/v1",
  name: "production",
  version: 1,
  issued_at: "2026-11-01T00:00:00Z",
  expires_at: "2027-02-01T00:00:00Z",
  rules: [
    {
      name: "images",
      repositories: ["github.com/acme/*"],
      refs: ["refs/heads/main"],
      clean: true,
      matches_commit: true,
      pushed: true,
      ci: { systems: ["github"], run_urls: ["https://github.com/acme/app/actions/runs/*"] },
      max_age: "30d",
    },
  ],
};

export function policyBytes(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** A policy with these members of its one rule changed; undefined takes a member away. */
export function ruleWith(changes: Record<string, unknown>): PolicyDocument {
  return { ...POLICY, rules: [{ ...POLICY.rules[0], ...changes }] };
}

function verifiedPolicy(document: unknown = POLICY): VerifiedPolicy {
  const bytes = policyBytes(document);
  parsePolicy(bytes, "the policy", repositoryName);
  const envelope = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, bytes);
  const opened = openPolicy(
    envelope,
    "the policy",
    { keys: [BOB.publicKey], threshold: 1, distrusted: [] },
    NOW,
    repositoryName,
  );
  if (!opened.ok) throw new Error("the test's own policy is refused");
  return opened.policy;
}

export function underPolicy(
  document: unknown = POLICY,
  place: { env: string | null; template: string | null } = { env: "prod", template: "app" },
): Pick<AttestationQuestion, "policy"> {
  // Text alone is named: nothing at all is no repository called null.
  const named = (text: string): string | null => repositoryName(text.trim());
  return { policy: { document: verifiedPolicy(document), place, repositoryName: named } };
}
