import type { ResultShape } from "./frame.ts";
import { count, instant, list, nullable, object, text, word } from "./shape.ts";

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
    sometimes: { url: text, unix: text, listen: text, data: text, requests: count },
  },
};
