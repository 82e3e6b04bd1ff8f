import type { ResultShape } from "./frame.ts";
import {
  anything,
  count,
  failure,
  instant,
  keyid,
  list,
  nullable,
  object,
  sha256,
  text,
  word,
} from "./shape.ts";

export const TRUST_RESULTS: { readonly [name: string]: ResultShape } = {
  sign: {
    what: "the detached signature that was written",
    success: {
      file: text,
      format: word("minisign", "raw", "ssh", "dsse"),
      keyid,
      out: text,
    },
    sometimes: {
      bytes: count,
      sha256,
      signature: text,
      namespace: text,
      encoding: word("base64", "hex", "binary"),
      predicate_type: text,
      subjects: list(object({ name: nullable(text), digest: { type: "object" } })),
      signatures: count,
    },
  },
  attest: {
    what: "the signed statement that was written",
    success: {
      out: text,
      format: word("bundle", "dsse", "jsonl"),
      predicate_type: text,
      keyid,
      subjects: list(object({ name: nullable(text), digest: { type: "object" } })),
    },
  },
  "verify-artifact": {
    what: "which evidence about a file holds",
    always: {
      checked: count,
      accepted: list(
        object({
          kind: word("sha256", "signature"),
          "format?": word("minisign", "raw", "signify", "ssh"),
          "keyid?": text,
          "name?": text,
          "namespace?": text,
          "trusted_comment?": text,
          "sha256?": sha256,
        }),
      ),
      refusals: list(failure),
    },
    success: { file: text, bytes: count, sha256 },
  },
  "verify-attestation": {
    what: "which statements about an artifact are signed by somebody trusted",
    always: {
      checked: count,
      accepted: list(
        object({
          format: word("bundle", "dsse"),
          predicate_type: text,
          subject: object({ "name?": nullable(text), digest: { type: "object" } }),
          keyids: list(keyid),
          predicate: {},
          "unchecked?": list(text),
          "policy_rules?": list(text),
          "warnings?": list(anything),
        }),
      ),
      refusals: list(failure),
    },
    sometimes: { subject: text, skipped_lines: count },
  },
  "policy-sign": {
    what: "the signed policy that was written",
    success: {
      out: text,
      policy: text,
      version: count,
      expires_at: instant,
      rules: list(text),
      keyid,
      signatures: count,
    },
  },
  "policy-check": {
    what: "whether a policy is signed and valid now, and its rules",
    always: { checked: count, rules: list(object({ name: text, level: word("enforce", "warn") })) },
    success: { policy: text, version: count, issued_at: instant, expires_at: instant, keyids: list(keyid) },
    sometimes: { refusals: list(failure) },
  },
};
