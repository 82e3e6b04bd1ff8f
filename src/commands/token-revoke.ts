import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { DATABASE_FLAGS, openNamed } from "./database-flags.ts";
import { rfc3339Micros } from "../control-plane/http/instant.ts";
import { revokeToken } from "../control-plane/tokens/tokens.ts";

export const tokenRevoke: Command = defineCommand({
  name: "revoke",
  description: "make a token useless from now on; a running server obeys at once",
  args: {
    id: { type: "positional", required: true, description: "the id that token list shows" },
    ...DATABASE_FLAGS,
  },
  examples: ["waybill token revoke 1a2b3c4d --data ./control-plane"],
  exits: ["auth", "missing", "server"],
  act: async (values, world) => {
    const database = await openNamed(values, world, false);
    try {
      const at = rfc3339Micros(world.now());
      const revokedAt = await revokeToken(database, values.id, {
        actor: "cli",
        env: null,
        at,
        requestId: null,
      });
      return {
        exit: EXIT.ok,
        document: { id: values.id, revoked_at: revokedAt },
        text: `revoked ${values.id}\n`,
      };
    } finally {
      await database.close();
    }
  },
});
