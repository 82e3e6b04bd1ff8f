import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { startControlPlane } from "../control-plane/control-plane.ts";
import { openDataDirectory } from "../control-plane/data-directory.ts";
import { isLocal, readListenAddress } from "../control-plane/listen-address.ts";
import { backUpSqlite } from "../control-plane/sqlite-backup.ts";
import { readBounded } from "../host/files.ts";
import { dataFolder, DATABASE_FLAGS, readPostgres } from "./database-flags.ts";

/** Below the five seconds after which a stopped process is ended without asking. */
const DRAIN_MS = 4_000;

const FLAGS = {
  listen: {
    type: "string",
    default: "127.0.0.1:7070",
    valueHint: "HOST:PORT|unix:PATH",
    description: "where to listen; port 0 is any free one",
  },
  ...DATABASE_FLAGS,
  data: {
    type: "string",
    valueHint: "DIR",
    description: "the folder that keeps everything (a folder of this user)",
  },
  backup: {
    type: "string",
    valueHint: "FILE",
    description: "copy the database of a server, which may be running, to a new file and end",
  },
  "tls-cert": { type: "string", valueHint: "FILE", description: "certificate chain, PEM" },
  "tls-key": { type: "string", valueHint: "FILE", description: "its private key, PEM" },
} as const;

export const serve: Command = defineCommand({
  name: "serve",
  description: "run the control plane: builds, pins, packages and assignments",
  args: FLAGS,
  examples: [
    "waybill serve --data ./control-plane --listen 127.0.0.1:0 --json",
    "waybill serve --listen 0.0.0.0:7070 --tls-cert server.pem --tls-key server.key",
    "waybill serve --listen unix:/run/waybill/control-plane.sock",
    "waybill serve --database-file /etc/waybill/database --listen 127.0.0.1:7070",
    "waybill serve --data ./control-plane --backup control-plane-2026-11-21.sqlite",
  ],
  exits: ["missing", "conflict", "server"],
  emptyDocument: { listening: null },
  act: async (values, world) => {
    if (values.backup !== undefined) return backUp(values, values.backup, world);
    const listen = readListenAddress(values.listen, world.cwd);
    const tls = readTls(values["tls-cert"], values["tls-key"]);
    const data = dataFolder(values, world);
    const postgres = readPostgres(values, world);
    if (tls === null && !isLocal(listen)) {
      world.say.warn(
        `LISTENING WITHOUT TLS ON ${values.listen}: everybody on the way reads the tokens; pass --tls-cert and --tls-key`,
      );
    }
    const plane = await startControlPlane({
      dataDirectory: data,
      postgres,
      listen,
      tls,
      now: world.now,
      stop: world.stop,
      log: { request: (line) => world.say.debug(line), fault: (text) => world.say.warn(text) },
    });
    const document = {
      listening: plane.address,
      data,
      database: postgres?.shown ?? "sqlite",
      tls: tls !== null,
    };
    await world.publish({ exit: EXIT.ok, document, text: `listening on ${plane.address}\n` });
    await stopped(world.stop);
    await plane.stop(DRAIN_MS);
    return { exit: EXIT.ok, document, text: "" };
  },
});

function backUp(values: Values<typeof FLAGS>, file: string, world: World): Outcome {
  if (readPostgres(values, world) !== null) {
    throw new Failure("flags_contradict", "--backup copies the file of a data folder", {
      hint: "PostgreSQL has tools of its own for this: pg_dump, pg_basebackup",
    });
  }
  const { database } = openDataDirectory(dataFolder(values, world), false);
  if (!existsSync(database))
    throw new Failure("not_found", `there is no database in ${quoted(values.data ?? "")}`);
  const to = resolve(world.cwd, file);
  backUpSqlite(database, to);
  const bytes = statSync(to).size;
  return { exit: EXIT.ok, document: { listening: null, backup: to, bytes }, text: `${to}\n` };
}

function readTls(
  cert: string | undefined,
  key: string | undefined,
): { readonly cert: string; readonly key: string } | null {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    const [given, wanted] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new Failure("flag_missing", `--tls-${given} needs --tls-${wanted}`, { hint: "pass both" });
  }
  return { cert: readPem(cert, "the certificate"), key: readPem(key, "the TLS key") };
}

function readPem(path: string, what: string): string {
  return new TextDecoder().decode(readBounded(path, LIMITS.documentBytes, what));
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
}
