import { join } from "node:path";
import { throwIfStopped } from "../base/interruption.ts";
import { artifactBytes } from "./artifacts/artifacts.ts";
import type { BlobStore } from "./artifacts/blob-store.ts";
import { FileBlobs } from "./artifacts/file-blobs.ts";
import type { Quota } from "./artifacts/quota.ts";
import type { Bucket } from "./artifacts/s3-blobs.ts";
import {
  lockDataDirectory,
  openDataDirectory,
  prepareDataDirectory,
  type DataDirectory,
} from "./storage/data-directory.ts";
import type { HostConfig } from "./addons/delivery.ts";
import type { TokenRecord } from "./tokens/token.ts";
import { ViewCache } from "./storage/view-cache.ts";
import { requestHandler, type Log, type TokenRate } from "./handle.ts";
import type { ListenAddress } from "./http/listen-address.ts";
import { Metrics } from "./http/metrics.ts";
import { isContextKept } from "./builds/builds.ts";
import type { Database } from "./storage/database.ts";
import { openDatabase } from "./storage/open-database.ts";
import type { PostgresAddress } from "./storage/postgres-address.ts";
import type { TrustPolicy } from "./pins/trust-policy.ts";
import { startServer, type RunningServer, type TlsTexts } from "./http/server.ts";

export type ControlPlaneOptions = {
  /** Made when it is not there. */
  readonly dataDirectory: string;
  /** null: the SQLite file of the data folder. */
  readonly postgres: PostgresAddress | null;
  /** null: files in the data folder. */
  readonly bucket: Bucket | null;
  readonly quota: Quota;
  /** "systemd": the socket that was handed to this process. */
  readonly listen: ListenAddress | "systemd";
  readonly tls: TlsTexts | null;
  readonly tokenRate: TokenRate;
  readonly trustPolicy: () => TrustPolicy | null;
  readonly now: () => Date;
  /** Ends the start when it is aborted; a running plane is ended by its `stop`. */
  readonly stop: AbortSignal;
  readonly log: Log;
};

/** A control plane that listens. `stop` also closes its database and gives its data folder free. */
export type ControlPlane = RunningServer;

async function blobStores(
  directory: DataDirectory,
  database: Database,
  bucket: Bucket | null,
  stop: AbortSignal,
): Promise<{ artifacts: BlobStore; contexts: BlobStore }> {
  const { incoming } = directory;
  if (bucket === null) {
    const stores = fileBlobs(directory, database);
    for (const store of Object.values(stores)) await store.settle();
    return stores;
  }
  const { proveBucket, S3Blobs } = await import("./artifacts/s3-blobs.ts");
  await proveBucket(bucket, stop);
  return {
    artifacts: new S3Blobs(bucket, "artifacts", incoming),
    contexts: new S3Blobs(bucket, "contexts", incoming),
  };
}

/** The two folders of bytes, each with the rows that name what is in it. */
export function fileBlobs(
  { artifacts, contexts, incoming }: DataDirectory,
  database: Database,
): { artifacts: FileBlobs; contexts: FileBlobs } {
  return {
    artifacts: new FileBlobs(artifacts, incoming, async (sha256) => {
      return (await artifactBytes(database, sha256)) !== null;
    }),
    contexts: new FileBlobs(contexts, incoming, (sha256) =>
      database.read((sql) => isContextKept(sql, sha256)),
    ),
  };
}

/**
 * Throws Failure: `lock_held`, `data_dir_invalid`, `storage_failed`, `object_store_unavailable`, one of
 * `startServer`, or an interruption, and has undone everything then.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const directory = openDataDirectory(options.dataDirectory, true);
  const lock = await lockDataDirectory(directory, options.stop);
  /** What is to be undone when a later step fails: a server that stays would keep the process. */
  const begun: (() => void | Promise<void>)[] = [lock.release];
  try {
    prepareDataDirectory(directory);
    const database = await openDatabase(options.postgres ?? directory.database, true);
    begun.push(database.close);
    const stores = await blobStores(directory, database, options.bucket, options.stop);
    const deps = {
      database,
      ...stores,
      quota: options.quota,
      metrics: new Metrics(),
      tokens: new ViewCache<TokenRecord | null>(),
      hostConfigs: new ViewCache<HostConfig>(),
      trustPolicy: options.trustPolicy,
      now: options.now,
      newId: () => Bun.randomUUIDv7(),
    };
    const handle = requestHandler(deps, options.log, options.tokenRate);
    // Nobody waits for a server that was stopped meanwhile, so nobody would stop it.
    throwIfStopped(options.stop, "the server was starting");
    const inside = { kind: "unix", path: join(directory.incoming, "s") } as const;
    const listen = options.listen === "systemd" ? inside : options.listen;
    const server = await startServer({ listen, tls: options.tls, handle });
    begun.push(() => server.stop(0));
    const activated =
      options.listen === "systemd" ? await (await import("./http/activation.ts")).passOn(inside.path) : null;
    return {
      address: activated === null ? server.address : "systemd",
      renew: server.renew,
      stop: async (graceMs) => {
        activated?.close();
        await server.stop(graceMs);
        await activated?.end();
        await database.close();
        lock.release();
      },
    };
  } catch (error) {
    for (const undo of begun.toReversed()) await undo();
    throw error;
  }
}
