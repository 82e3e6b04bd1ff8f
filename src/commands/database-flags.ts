import { withoutEscapes } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { dataDirectoryPath, openDataDirectory } from "../control-plane/storage/data-directory.ts";
import type { Database } from "../control-plane/storage/database.ts";
import { openDatabase } from "../control-plane/storage/open-database.ts";
import {
  holdsPassword,
  readPostgresAddress,
  type PostgresAddress,
} from "../control-plane/storage/postgres-address.ts";
import { readSecret } from "../host/secrets.ts";

/** Which control plane a command is about: the folder of one server, or the database of several. */
export const DATABASE_FLAGS = {
  data: { type: "string", valueHint: "DIR", description: "the data folder of the server (one of this user)" },
  database: {
    type: "string",
    valueHint: "postgres://…",
    description: "a PostgreSQL database in place of the file in the data folder; without a password",
  },
  "database-env": {
    type: "string",
    valueHint: "VAR",
    description: "the variable that holds its address, with a password",
  },
  "database-file": { type: "string", valueHint: "FILE", description: "the file that holds its address" },
} as const;

type Given = Values<typeof DATABASE_FLAGS>;

/** The data folder of the flags, or the default one. Opens nothing. */
export function dataFolder({ data }: Pick<Given, "data">, world: World): string {
  return dataDirectoryPath(data, world.env, world.cwd, process.getuid?.() === 0);
}

/** The PostgreSQL database that the flags name; null when they name none. Throws Failure. */
export function readPostgres(values: Given, world: World): PostgresAddress | null {
  const [database, variable, file] = [values.database, values["database-env"], values["database-file"]];
  if ([database, variable, file].filter((one) => one !== undefined).length > 1) {
    throw new Failure(
      "flags_contradict",
      "--database, --database-env and --database-file exclude each other",
    );
  }
  if (database !== undefined) {
    // Everybody on the machine can read the arguments of a process.
    if (holdsPassword(database)) {
      world.secrets.register(new URL(database).password);
      throw new Failure("invalid_value", "--database: the address holds a password", {
        hint: "put it into a variable or a file, and name that with --database-env or --database-file",
      });
    }
    return readPostgresAddress(database, "--database");
  }
  const from = variable === undefined ? file : variable;
  if (from === undefined) return null;
  const source = variable === undefined ? { file: from } : { variable: from };
  const text = readSecret(source, world.env, "address of a database");
  world.secrets.register(text);
  world.secrets.register(withoutEscapes(URL.parse(text)?.password ?? ""));
  return readPostgresAddress(text, variable === undefined ? "--database-file" : "--database-env");
}

/** Opens the database of the flags; with `create` also one that no server has used. Throws Failure. */
export async function openNamed(values: Given, world: World, create: boolean): Promise<Database> {
  const postgres = readPostgres(values, world);
  if (postgres !== null) return openDatabase(postgres, create);
  return openDatabase(openDataDirectory(dataFolder(values, world), create).database, create);
}
