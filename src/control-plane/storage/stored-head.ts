import type { EventHead } from "../events/event-chain.ts";
import type { Sql } from "./database.ts";

/** The last event, and the last one that may have changed a token or what a host is given. */
export type StoredHead = EventHead & { readonly watched: number };

type Row = StoredHead & { readonly watched_to: number };

/** Null in a database whose record was damaged. */
export async function readHead(rows: Sql["rows"]): Promise<StoredHead | null> {
  const [head] = await rows<Row>("SELECT seq, sha256, watched, watched_to FROM event_head");
  if (head === undefined) return null;
  const { seq, sha256, watched, watched_to } = head;
  // Behind a server of an earlier version any event may be one that counts.
  return { seq, sha256, watched: watched_to === seq ? watched : seq };
}

export async function writeHead(run: Sql["run"], { seq, sha256, watched }: StoredHead): Promise<void> {
  await run(
    "UPDATE event_head SET seq = $1, sha256 = $2, watched = $3, watched_to = $1",
    seq,
    sha256,
    watched,
  );
}

/** What changes no token and no host's list: nearly everything that happens all day. */
const BESIDE: ReadonlySet<string> = new Set([
  "host.report",
  "pin.promote",
  "pin.receipt",
  "build.record",
  "attestation.keep",
]);

/** The head when event `seq` with this digest is the last one. */
export function headAfter(
  { watched }: StoredHead,
  seq: number,
  sha256: string,
  { action, decision }: { readonly action: string; readonly decision: "allowed" | "denied" },
): StoredHead {
  return { seq, sha256, watched: decision === "denied" || BESIDE.has(action) ? watched : seq };
}
