import { createServer } from "node:net";

/** A free port of 127.0.0.1. It may be taken by somebody else before it is used; so its user checks. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const address = server.address();
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return typeof address === "object" && address !== null ? address.port : 0;
}

export type Daemon = AsyncDisposable & {
  readonly pid: number;
  /** Sends a signal and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
};

/**
 * Starts a server in the foreground and resolves when `ready` says so; throws with what it wrote when it ends before.
 */
export async function startDaemon(words: readonly string[], ready: () => Promise<boolean>): Promise<Daemon> {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const errors = child.stderr.text();
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    child.kill(signal);
    await child.exited;
  };
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`${words[0]} ended: ${await errors}`);
    if (await ready()) return { pid: child.pid, stop, [Symbol.asyncDispose]: () => stop("SIGKILL") };
    await Bun.sleep(25);
  }
  await stop("SIGKILL");
  throw new Error(`${words[0]} did not come up: ${await errors}`);
}

/** Whether something answers HTTP there. */
export async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { keepalive: false, tls: { rejectUnauthorized: false } })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Whether something takes connections there. */
export async function listens(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
