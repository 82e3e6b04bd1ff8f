import type { ResultShape } from "./frame.ts";
import { count, flag, instant, list, nullable, object, text, word, type Members } from "./shape.ts";

/** What a token may touch; null is everything. */
const BOUNDS: Members = {
  templates: nullable(list(text)),
  repos: nullable(list(text)),
  hosts: nullable(list(text)),
};

export const TOKEN_RESULTS: { readonly [name: string]: ResultShape } = {
  "token-new": {
    what: "a token of the control plane; it is shown this once",
    success: {
      token: text,
      id: text,
      name: text,
      scopes: list(text),
      env: text,
      expires_at: nullable(instant),
      ...BOUNDS,
    },
  },
  "token-list": {
    what: "the tokens of a control plane, without their secrets",
    success: {
      tokens: list(
        object({
          id: text,
          name: text,
          scopes: list(text),
          env: text,
          ...BOUNDS,
          state: word("valid", "revoked", "expired"),
          created_at: instant,
          expires_at: nullable(instant),
          revoked_at: nullable(instant),
        }),
      ),
    },
  },
  "token-revoke": { what: "since when a token is useless", success: { id: text, revoked_at: instant } },
  serve: {
    what: "where the control plane listens; printed while it runs on",
    always: { listening: nullable(text) },
    // Of a server that runs, and of a copy of its data.
    sometimes: { data: text, database: text, tls: flag, backup: text, bytes: count },
  },
};
