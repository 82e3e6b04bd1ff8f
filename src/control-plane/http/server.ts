import { chmodSync, lstatSync, renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, reason, whyUnwritten } from "../../host/files.ts";
import { randomHex } from "../../host/random.ts";
import type { Handler } from "../handle.ts";
import { shownAddress, type ListenAddress } from "./listen-address.ts";
import { WireRefusal } from "./wire.ts";

/** PEM texts. */
export type TlsTexts = { readonly cert: string; readonly key: string };

export type ServerOptions = {
  readonly listen: ListenAddress;
  readonly tls: TlsTexts | null;
  /** Never rejects. */
  readonly handle: Handler;
};

export type RunningServer = {
  /** `http://127.0.0.1:41234`, `https://…`, `unix:/path` or `systemd`. */
  readonly address: string;
  /** New connections get this certificate; those that are open go on. Throws Failure `config_invalid`. */
  readonly renew: (tls: TlsTexts) => void;
  /** Takes no new connections, waits up to `graceMs` for requests under way, then closes what is left. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/**
 * A request on which nothing moves for this long is given up, and so is its connection without another one. Before
 * the first it has Bun's 10 s.
 */
const IDLE_SECONDS = 60;
/** Who may use the socket: its owner and its group. Everybody still needs a token. */
const SOCKET_MODE = 0o660;

type Server = Bun.Server<undefined>;

function secured(texts: TlsTexts | null): object {
  return texts === null ? {} : { tls: { ...texts } };
}

/** Throws Failure `address_in_use`, `config_invalid` or `invalid_value`. */
export async function startServer({ listen, tls, handle }: ServerOptions): Promise<RunningServer> {
  if (listen.kind === "unix") await removeStaleSocket(listen.path);
  const options = {
    // In Bun this is on by default, and then an error answer carries our source.
    development: false,
    maxRequestBodySize: LIMITS.artifactBytes + 1_048_576,
    fetch: (request: Request, server: Server) => {
      server.timeout(request, IDLE_SECONDS);
      return handle(request, () => server.requestIP(request)?.address ?? "");
    },
    error: () => new WireRefusal("internal_error", "internal error").toResponse(),
  };
  /** Without `reusePort: false` Bun shares the port with whoever asks for it next: each gets half of the requests. */
  const begin = (texts: TlsTexts | null, port: number, reusePort: boolean): Server =>
    listen.kind === "unix"
      ? beginAt(texts, listen.path)
      : Bun.serve({ ...options, ...secured(texts), hostname: listen.host, port, reusePort });
  const beginAt = (texts: TlsTexts | null, path: string): Server => {
    const begun = Bun.serve({ ...options, ...secured(texts), unix: path });
    chmodSync(path, SOCKET_MODE);
    return begun;
  };
  let server: Server;
  try {
    server = begin(tls, listen.kind === "tcp" ? listen.port : 0, false);
    if (tls !== null && listen.kind === "tcp") {
      // Nobody else has the port, so it may be shared from here on: with the server that has the next certificate.
      const port = server.port ?? 0;
      await server.stop(true);
      server = begin(tls, port, true);
    }
  } catch (error) {
    throw startFailure(error, listen);
  }
  const retiring = new Set<Server>();
  return {
    address: shownAddress(listen, server.port ?? 0, tls !== null),
    renew: (texts) => {
      if (tls === null) return;
      const old = server;
      // A name that is free, whatever a killed server left.
      const next = listen.kind === "unix" ? join(dirname(listen.path), `.${randomHex(3)}`) : null;
      try {
        server = next === null ? begin(texts, old.port ?? 0, true) : beginAt(texts, next);
      } catch (error) {
        throw startFailure(error, listen);
      }
      retiring.add(old);
      // It takes its name with it, which is then free for the next one.
      void old.stop().then(() => retiring.delete(old));
      if (listen.kind === "unix" && next !== null) renameSync(next, listen.path);
    },
    stop: async (graceMs) => {
      const all = [server, ...retiring];
      const timer = setTimeout(() => void Promise.all(all.map((one) => one.stop(true))), graceMs);
      await Promise.all(all.map((one) => one.stop()));
      clearTimeout(timer);
      if (listen.kind === "unix") rmSync(listen.path, { force: true });
    },
  };
}

/** A socket file outlives a killed server. One that still answers is somebody else's. */
async function removeStaleSocket(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw new Failure("invalid_value", `--listen: ${quoted(path)} cannot be used: ${reason(error)}`);
  }
  if (!isSocket || (await answers(path))) {
    throw new Failure(
      "address_in_use",
      `--listen: ${quoted(path)} ${isSocket ? "is served by another process" : "is not a socket"}`,
      { hint: "name another path" },
    );
  }
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function startFailure(error: unknown, listen: ListenAddress): Failure {
  const code = errorCode(error);
  const where = shownAddress(listen, listen.kind === "tcp" ? listen.port : 0, false);
  if (code === "EADDRINUSE") {
    return new Failure("address_in_use", `${where} is in use by another process`, {
      hint: "stop it, or name another address with --listen",
      cause: error,
    });
  }
  if (/OSSL|SSL|TLS|PEM/u.test(code)) {
    return new Failure("config_invalid", `--tls-cert and --tls-key are no usable pair (${code})`, {
      hint: "both must be PEM, and the key must belong to the first certificate",
      cause: error,
    });
  }
  const why = listen.kind === "unix" ? whyUnwritten(error) : reason(error);
  return new Failure("invalid_value", `--listen: ${where} cannot be listened on: ${why}`, { cause: error });
}
