import { ADDON_FORMATS } from "./addon-formats.ts";
import { format } from "./frame.ts";
import { TRUSTED_KEY } from "./key-results.ts";
import {
  closed,
  count,
  flag,
  instant,
  integer,
  list,
  map,
  nullable,
  object,
  objectId,
  one,
  sha256,
  text,
  type Schema,
} from "./shape.ts";

/** Files that people and programs write for waybill, or read from it. */

const patterns = list({ type: "string", minLength: 1, maxLength: 500 });

export const FORMATS: { readonly [name: string]: Schema } = {
  ...ADDON_FORMATS,
  "manifest-line": format(
    "manifest-line",
    "one line of `capture --manifest`: a file or link of the context",
    object({
      path: text,
      "path_base64?": text,
      mode: one("100644", "100755", "120000"),
      size: count,
      sha256,
      git_blob: nullable(objectId),
    }),
  ),
  targets: format(
    "targets",
    "environments and their control planes: the input of --config; tokens are named, never written down",
    closed({
      environments: map(
        closed({
          url: text,
          "token_env?": text,
          "token_file?": text,
          "read_token_env?": text,
          "allow_link_local?": flag,
        }),
      ),
    }),
  ),
  policy: format(
    "policy",
    "what must be proven before an image is pinned, before it is signed",
    closed({
      schema: { const: "waybill.policy/v1" },
      name: text,
      version: { type: "integer", minimum: 1 },
      issued_at: instant,
      expires_at: instant,
      rules: list(
        closed({
          name: text,
          "level?": one("enforce", "warn"),
          "environments?": patterns,
          "templates?": patterns,
          "predicate_types?": list(text),
          "repositories?": patterns,
          "refs?": patterns,
          "clean?": flag,
          "matches_commit?": flag,
          "pushed?": flag,
          "ci?": closed({ "systems?": list(text), "run_urls?": patterns }),
          "accept_ci_claims?": flag,
          "max_age?": text,
          "signers?": list(closed({ "role?": text, keys: list(text), "threshold?": integer })),
        }),
      ),
    }),
  ),
  "trust-root": format(
    "trust-root",
    "who is trusted with what: the payload of a signed trust root",
    closed({
      schema: { const: "waybill.trust-root/v1" },
      version: { type: "integer", minimum: 1 },
      keys: list(closed(TRUSTED_KEY)),
      thresholds: map({ type: "integer", minimum: 1 }),
    }),
  ),
  statement: format(
    "statement",
    "the payload of an attestation: an in-toto Statement v1",
    object({
      _type: { const: "https://in-toto.io/Statement/v1" },
      subject: list(object({ "name?": text, digest: map(text) })),
      predicateType: text,
      "predicate?": { type: "object" },
    }),
  ),
  envelope: format(
    "envelope",
    "a DSSE envelope: signed trust roots, policies and statements",
    object({
      payload: text,
      payloadType: text,
      signatures: list(object({ sig: text, "keyid?": text })),
    }),
  ),
};
