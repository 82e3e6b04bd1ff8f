import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { AccessLog } from "../control-plane/http/access-log.ts";
import { startControlPlane } from "../control-plane/control-plane.ts";
import { openDataDirectory } from "../control-plane/storage/data-directory.ts";
import { isLocal } from "../control-plane/http/listen-address.ts";
import { backUpSqlite } from "../control-plane/storage/sqlite-backup.ts";
import { compileSooner } from "../host/compiler.ts";
import type { ServiceState } from "../host/service-manager.ts";
import { DATABASE_FLAGS, dataFolder, readPostgres } from "./database-flags.ts";
import { SERVE_POLICY_FLAGS } from "./serve-policy.ts";
import { Hangups, renewed } from "./serve-reload.ts";
import { readServeSettings, SERVE_FLAGS, withConfig, type ServeValues } from "./serve-settings.ts";

/** Below the five seconds after which a stopped process is ended without asking. */
const DRAIN_MS = 4_000;

export const serve: Command = defineCommand({
  name: "serve",
  description: "run the control plane: builds, pins, packages and assignments",
  args: { ...DATABASE_FLAGS, ...SERVE_FLAGS, ...SERVE_POLICY_FLAGS },
  examples: [
    "waybill serve --data ./control-plane --listen 127.0.0.1:0 --json",
    "waybill serve --listen 0.0.0.0:7070 --tls-cert server.pem --tls-key server.key",
    "waybill serve --listen unix:/run/waybill/control-plane.sock",
    "waybill serve --database-file /etc/waybill/database --listen 127.0.0.1:7070",
    "waybill serve --data ./control-plane --backup control-plane-2026-11-21.sqlite",
  ],
  exits: [
    ...(["auth", "policy", "untrusted", "missing", "rejected", "protocol"] as const),
    ...(["conflict", "transport", "server"] as const),
  ],
  emptyDocument: { listening: null },
  act: async (values, world) => {
    if (values.backup !== undefined) return backUp(values, values.backup, world);
    const hangups = new Hangups();
    const settings = readServeSettings(values, world);
    const { listen, data, postgres, bucket, quota, tls, tokenRate } = settings;
    let { trustPolicy } = settings;
    if (tls === null && (listen === "systemd" || !isLocal(listen))) {
      world.say.warn(
        `LISTENING WITHOUT TLS ON ${settings.listenText}: everybody on the way reads the tokens; pass --tls-cert and --tls-key`,
      );
    }
    // The binary starts as what ends soon (scripts/build); this one goes on, and compiling pays.
    compileSooner();
    const accessLog = settings.accessLog === null ? null : new AccessLog(settings.accessLog);
    const request =
      accessLog?.write ?? (world.say.isVerbose ? (line: string) => world.say.debug(line) : null);
    const log = { request, fault: (text: string) => world.say.warn(text) };
    const starting = startControlPlane({
      dataDirectory: data,
      postgres,
      bucket,
      quota,
      listen,
      tls,
      tokenRate,
      trustPolicy: () => trustPolicy,
      now: world.now,
      stop: world.stop,
      log,
    });
    const plane = await unlessStopped(starting, world.stop);
    // Stopped before anybody was served: that is an end like any other.
    if (plane === null) return { exit: EXIT.ok, document: { listening: null }, text: "" };
    const document = {
      listening: plane.address,
      data,
      database: postgres?.shown ?? "sqlite",
      tls: tls !== null,
    };
    if (trustPolicy !== null) {
      const { name, version } = trustPolicy.policy;
      world.say.info(`enforcing policy ${quoted(name)}, version ${version}`);
    }
    const tell = await manager(world);
    hangups.obey(() => {
      // What drains begins nothing anew.
      if (world.stop.aborted) return;
      tell("RELOADING=1");
      trustPolicy = renewed(values, world, plane, accessLog, trustPolicy);
      tell("READY=1");
    });
    tell("READY=1");
    await world.publish({ exit: EXIT.ok, document, text: `listening on ${plane.address}\n` });
    await stopped(world.stop);
    tell("STOPPING=1");
    await plane.stop(DRAIN_MS);
    accessLog?.close();
    return { exit: EXIT.ok, document, text: "" };
  },
});

/** Tells a service manager that wants to know (`Type=notify`). One that cannot be told ends no server that serves. */
async function manager({ env, say }: World): Promise<(state: ServiceState) => void> {
  const socket = env["NOTIFY_SOCKET"] ?? "";
  if (socket === "") return () => {};
  const { tellManager } = await import("../host/service-manager.ts");
  return (state) => {
    try {
      tellManager(socket, state);
    } catch (error) {
      say.warn(asFailure(error).message);
    }
  };
}

function backUp(given: ServeValues, file: string, world: World): Outcome {
  const { values } = withConfig(given, world);
  if (readPostgres(values, world) !== null) {
    throw new Failure("flags_contradict", "--backup copies the file of a data folder", {
      hint: "PostgreSQL has tools of its own for this: pg_dump, pg_basebackup",
    });
  }
  const { path, database } = openDataDirectory(dataFolder(values, world), false);
  if (!existsSync(database)) {
    throw new Failure("not_found", `there is no database in ${quoted(path)}`, {
      hint: "name the data folder of the server with --data, or its --config",
    });
  }
  const to = resolve(world.cwd, file);
  backUpSqlite(database, to);
  const bytes = statSync(to).size;
  return { exit: EXIT.ok, document: { listening: null, backup: to, bytes }, text: `${to}\n` };
}

/** Null when the stop was first: what was begun then undoes itself, or goes with the process. */
async function unlessStopped<T>(starting: Promise<T>, stop: AbortSignal): Promise<T | null> {
  try {
    return await Promise.race([starting, stopped(stop).then(() => null)]);
  } catch (error) {
    if (stop.aborted) return null;
    throw error;
  }
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
}
