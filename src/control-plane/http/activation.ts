import { connect, createServer, type Socket } from "node:net";
import { Failure } from "../../base/failure.ts";
import { reason } from "../../host/files.ts";

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const FIRST = 3;

export type Activated = {
  /** Takes no new connections. */
  readonly close: () => void;
  /** Ends those that are open, when what the server has answered is passed on. */
  readonly end: () => Promise<void>;
};

/** For the last bytes of answers, from one socket of this machine to another. */
const LAST_BYTES_MS = 500;

/**
 * Takes what arrives at the socket that was handed over to the server behind `path`: Bun listens on addresses and not
 * on descriptors.
 */
export function passOn(path: string): Promise<Activated> {
  const open = new Set<Socket>();
  let emptied: (() => void) | null = null;
  const server = createServer({ allowHalfOpen: true }, (outside) => {
    const inside = connect({ path, allowHalfOpen: true });
    for (const [one, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
        if (open.size === 0) emptied?.();
      });
    }
  });
  return new Promise((resolve, reject) => {
    server.on("error", (error) => {
      const text = `--listen systemd: what was handed over is no socket to listen on: ${reason(error)}`;
      reject(new Failure("invalid_value", text, { hint: "the unit needs one ListenStream=", cause: error }));
    });
    server.listen({ fd: FIRST }, () => {
      resolve({
        close: () => void server.close(),
        end: async () => {
          if (open.size > 0) {
            const { promise, resolve: done } = Promise.withResolvers<void>();
            emptied = done;
            const timer = setTimeout(done, LAST_BYTES_MS);
            await promise;
            clearTimeout(timer);
          }
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}
