/** Our own handlers on our own database, with a transaction and an fsync for each write. usage: serve-each.ts DATA */
import { ViewCache } from "../../../src/control-plane/storage/view-cache.ts";
import type { HostConfig } from "../../../src/control-plane/addons/delivery.ts";
import type { TokenRecord } from "../../../src/control-plane/tokens/token.ts";
import { fileBlobs } from "../../../src/control-plane/control-plane.ts";
import {
  openDataDirectory,
  prepareDataDirectory,
} from "../../../src/control-plane/storage/data-directory.ts";
import { requestHandler } from "../../../src/control-plane/handle.ts";
import { Metrics } from "../../../src/control-plane/http/metrics.ts";
import { openSqlite } from "../../../src/control-plane/storage/sqlite-database.ts";

const directory = openDataDirectory(Bun.argv[2] ?? "", true);
prepareDataDirectory(directory);
const database = openSqlite(directory.database, true);
let last: Promise<unknown> = Promise.resolve();
const handle = requestHandler(
  {
    database: {
      ...database,
      write: (act) => {
        const next = last.then(() => database.write(act));
        last = next.catch(() => {});
        return next;
      },
    },
    ...fileBlobs(directory, database),
    metrics: new Metrics(),
    tokens: new ViewCache<TokenRecord | null>(),
    hostConfigs: new ViewCache<HostConfig>(),
    quota: null,
    trustPolicy: () => null,
    now: () => new Date(),
    newId: () => Bun.randomUUIDv7(),
  },
  { request: null, fault: (text) => console.error(text) },
);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: (request) => handle(request, () => ""),
});
console.log(JSON.stringify({ ok: true, listening: `http://127.0.0.1:${server.port}` }));
