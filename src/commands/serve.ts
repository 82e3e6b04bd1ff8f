import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { startControlPlane } from "../control-plane/control-plane.ts";
import { dataDirectoryPath } from "../control-plane/data-directory.ts";
import { isLocal, readListenAddress } from "../control-plane/listen-address.ts";
import { readBounded } from "../host/files.ts";

/** Below the five seconds after which a stopped process is ended without asking. */
const DRAIN_MS = 4_000;

export const serve: Command = defineCommand({
  name: "serve",
  description: "run the control plane: builds, pins, packages and assignments",
  args: {
    listen: {
      type: "string",
      default: "127.0.0.1:7070",
      valueHint: "HOST:PORT|unix:PATH",
      description: "where to listen; port 0 is any free one",
    },
    data: {
      type: "string",
      valueHint: "DIR",
      description: "the folder that keeps everything (a folder of this user)",
    },
    "tls-cert": { type: "string", valueHint: "FILE", description: "certificate chain, PEM" },
    "tls-key": { type: "string", valueHint: "FILE", description: "its private key, PEM" },
  },
  examples: [
    "waybill serve --data ./control-plane --listen 127.0.0.1:0 --json",
    "waybill serve --listen 0.0.0.0:7070 --tls-cert server.pem --tls-key server.key",
    "waybill serve --listen unix:/run/waybill/control-plane.sock",
  ],
  exits: ["conflict"],
  emptyDocument: { listening: null },
  act: async (values, world) => {
    const listen = readListenAddress(values.listen, world.cwd);
    const tls = readTls(values["tls-cert"], values["tls-key"]);
    const data = dataDirectoryPath(values.data, world.env, world.cwd, process.getuid?.() === 0);
    if (tls === null && !isLocal(listen)) {
      world.say.warn(
        `LISTENING WITHOUT TLS ON ${values.listen}: everybody on the way reads the tokens; pass --tls-cert and --tls-key`,
      );
    }
    // The binary starts as what ends soon (scripts/build); this one goes on, and compiling pays.
    Bun.unsafe.setJITPolicy(1);
    const plane = await startControlPlane({
      dataDirectory: data,
      listen,
      tls,
      now: world.now,
      stop: world.stop,
      log: { request: (line) => world.say.debug(line), fault: (text) => world.say.warn(text) },
    });
    const document = { listening: plane.address, data, tls: tls !== null };
    world.publish({ exit: EXIT.ok, document, text: `listening on ${plane.address}\n` });
    await stopped(world.stop);
    await plane.stop(DRAIN_MS);
    return { exit: EXIT.ok, document, text: "" };
  },
});

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
