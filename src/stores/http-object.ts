import type { ClientIdentity } from "../host/http.ts";

/** How this side and the servers of its stores know each other over TLS. */
export type TlsTrust = {
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
};
