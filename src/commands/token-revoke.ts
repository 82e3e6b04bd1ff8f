import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { dataDirectoryPath, openDataDirectory } from "../control-plane/data-directory.ts";
import { openDatabase } from "../control-plane/database.ts";
import { rfc3339Micros } from "../control-plane/instant.ts";
import { revokeToken } from "../control-plane/tokens.ts";

export const tokenRevoke: Command = defineCommand({
  name: "revoke",
  description: "make a token useless from now on; a running server obeys at once",
  args: {
    id: { type: "positional", required: true, description: "the id that token list shows" },
    data: { type: "string", valueHint: "DIR", description: "the data folder of the server" },
  },
  examples: ["waybill token revoke 1a2b3c4d --data ./control-plane"],
  exits: ["missing"],
  act: async (values, world) => {
    const path = dataDirectoryPath(values.data, world.env, world.cwd, process.getuid?.() === 0);
    const database = openDatabase(openDataDirectory(path, false).database, false);
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
