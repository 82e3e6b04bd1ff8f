/** Whether something of this machine takes a connection there within `timeoutMs`; nothing is sent. */
export async function takesConnections(
  place: { readonly host: "127.0.0.1" | "::1"; readonly port: number } | { readonly path: string },
  timeoutMs: number,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const socket = {
    open: (opened: { end: () => unknown }) => {
      opened.end();
      resolve(true);
    },
    connectError: () => resolve(false),
    data: () => {},
  };
  const connecting =
    "port" in place
      ? Bun.connect({ hostname: place.host, port: place.port, socket })
      : Bun.connect({ unix: place.path, socket });
  connecting.catch(() => resolve(false));
  const answer = await promise;
  clearTimeout(timer);
  return answer;
}
