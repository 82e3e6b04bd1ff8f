import { connect, type Socket } from "node:net";
import { rawServer, type RawServer } from "./raw-server.ts";

/** A proxy that brings every tunnel to `port` of this machine, whatever name it was asked for. */
export function connectProxy(port: number): Promise<RawServer> {
  return rawServer((socket: Socket) => {
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(upstream);
      upstream.pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
}
