import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { refusalOf, tokenId, type TokenRecord } from "../../../src/control-plane/tokens/token.ts";
import { UNBOUND } from "../../../src/control-plane/tokens/token-bounds.ts";
import { isTokenText, tokenText } from "../../../src/control-plane/tokens/token-text.ts";

const TOKEN = tokenText(new Uint8Array(32).fill(7));
const NOW = new Date("2026-11-21T12:00:00Z");

function record(members: Partial<TokenRecord>): TokenRecord {
  return {
    id: tokenId(TOKEN),
    sha256: sha256Of(TOKEN),
    name: "",
    scopes: ["admin"],
    env: "default",
    created_at: "2026-11-21T00:00:00.000000Z",
    expires_at: null,
    revoked_at: null,
    ...UNBOUND,
    ...members,
  };
}

test("a token is wb_ and 43 base64url characters; its id is 8 hex of its digest", () => {
  expect(TOKEN).toBe("wb_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
  expect(isTokenText(TOKEN)).toBe(true);
  expect(tokenId(TOKEN)).toBe(sha256Of(TOKEN).slice(0, 8));
  for (const text of ["", TOKEN.slice(1), `${TOKEN}x`, `${TOKEN}\n`, TOKEN.replace("B", "+")]) {
    expect(isTokenText(text)).toBe(false);
  }
});

describe("a presented token", () => {
  const cases: readonly (readonly [string, TokenRecord | null, string | null])[] = [
    ["that is the one", record({}), null],
    ["without a row", null, "token unknown"],
    [
      "that shares only the id with the row",
      record({ sha256: `${tokenId(TOKEN)}${"0".repeat(56)}` }),
      "token unknown",
    ],
    ["that is revoked", record({ revoked_at: "2026-11-21T11:00:00.000000Z" }), "token revoked"],
    ["that has expired", record({ expires_at: "2026-11-21T12:00:00.000000Z" }), "token expired"],
    ["that expires next", record({ expires_at: "2026-11-21T12:00:00.001000Z" }), null],
  ];
  for (const [name, row, wanted] of cases)
    test(name, () => expect(refusalOf(sha256Of(TOKEN), row, NOW)).toBe(wanted));
});
