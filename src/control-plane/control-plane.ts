import { BlobStore } from "./blob-store.ts";
import { lockDataDirectory, openDataDirectory, prepareDataDirectory } from "./data-directory.ts";
import { requestHandler, type Log } from "./handle.ts";
import type { ListenAddress } from "./listen-address.ts";
import { openDatabase } from "./open-database.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import { startServer, type RunningServer } from "./server.ts";

export type ControlPlaneOptions = {
  /** Made when it is not there. */
  readonly dataDirectory: string;
  /** null: the SQLite file of the data folder. */
  readonly postgres: PostgresAddress | null;
  readonly listen: ListenAddress;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly now: () => Date;
  /** Ends the start when it is aborted; a running plane is ended by its `stop`. */
  readonly stop: AbortSignal;
  readonly log: Log;
};

/** A control plane that listens. `stop` also closes its database and gives its data folder free. */
export type ControlPlane = RunningServer;

/** Throws Failure: `lock_held`, `data_dir_invalid`, `storage_failed`, or one of `startServer`. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const directory = openDataDirectory(options.dataDirectory, true);
  const lock = await lockDataDirectory(directory, options.stop);
  try {
    prepareDataDirectory(directory);
    const database = await openDatabase(options.postgres ?? directory.database, true);
    const deps = {
      database,
      artifacts: new BlobStore(directory.artifacts, directory.incoming),
      contexts: new BlobStore(directory.contexts, directory.incoming),
      now: options.now,
      newId: () => Bun.randomUUIDv7(),
    };
    const handle = requestHandler(deps, options.log);
    const server = await startServer({ listen: options.listen, tls: options.tls, handle }).catch(
      async (error: unknown) => {
        await database.close();
        throw error;
      },
    );
    return {
      address: server.address,
      stop: async (graceMs) => {
        await server.stop(graceMs);
        await database.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
