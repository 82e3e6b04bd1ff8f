export const AF_UNIX = 1;
/** SOCK_DGRAM with SOCK_CLOEXEC, on every processor that we run on. */
export const DATAGRAMS: number = 2 | 0o2000000;

const LONGEST_NAME = 107;

export type UnixAddress = { readonly bytes: Uint8Array; readonly length: number };

/** A sockaddr_un for a path, or for a name of no file behind an `@` (unix(7)); null for what is too long to be one. */
export function unixAddress(name: string): UnixAddress | null {
  const text = new TextEncoder().encode(name);
  if (text.length > LONGEST_NAME) return null;
  const bytes = new Uint8Array(110);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(text, 2);
  if (!name.startsWith("@")) return { bytes, length: text.length + 3 };
  // Such a name begins with a zero and ends where the address does.
  bytes[2] = 0;
  return { bytes, length: text.length + 2 };
}
