import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { alignedLines } from "../cli/table.ts";
import { DATABASE_FLAGS, openNamed } from "./database-flags.ts";
import type { TokenRecord } from "../control-plane/tokens/token.ts";
import { listTokens } from "../control-plane/tokens/tokens.ts";

export const tokenList: Command = defineCommand({
  name: "list",
  description: "the tokens of a control plane, without their secrets",
  args: DATABASE_FLAGS,
  examples: ["waybill token list --data ./control-plane", "waybill token list --json"],
  exits: ["auth", "server"],
  emptyDocument: { tokens: [] },
  act: async (values, world) => {
    const database = await openNamed(values, world, false);
    try {
      const now = world.now();
      const tokens = (await listTokens(database)).map((record) => ({
        id: record.id,
        name: record.name,
        scopes: record.scopes,
        env: record.env,
        templates: record.templates,
        repos: record.repos,
        hosts: record.hosts,
        state: stateOf(record, now),
        created_at: record.created_at,
        expires_at: record.expires_at,
        revoked_at: record.revoked_at,
      }));
      const rows = tokens.map((one) => [
        one.id,
        one.state,
        one.env,
        one.scopes.join(","),
        one.expires_at ?? "never",
        printable(one.name),
      ]);
      return { exit: EXIT.ok, document: { tokens }, text: alignedLines(rows) };
    } finally {
      await database.close();
    }
  },
});

function stateOf(record: TokenRecord, now: Date): "valid" | "expired" | "revoked" {
  if (record.revoked_at !== null) return "revoked";
  const expired = record.expires_at !== null && now.getTime() >= Date.parse(record.expires_at);
  return expired ? "expired" : "valid";
}
