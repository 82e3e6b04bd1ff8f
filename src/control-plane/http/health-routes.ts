import type { Database } from "../storage/database.ts";
import { rfc3339Micros } from "./instant.ts";
import type { Route } from "../router.ts";
import { json, WireRefusal } from "./wire.ts";

/** Anybody may ask, so the answer of one probe serves everybody for this long. */
const PROBE_MS = 1_000;

type Probe = { readonly at: number; readonly ready: Promise<boolean> };
const probes = new WeakMap<Database, Probe>();

export const HEALTH_ROUTES: readonly Route[] = [
  { method: "GET", path: "/healthz", access: "open", answer: async () => json({ ok: true }) },
  {
    method: "GET",
    path: "/readyz",
    access: "open",
    answer: async ({ database, now }) => {
      if (await takesWrites(database, now())) return json({ ok: true });
      throw new WireRefusal("unavailable", "the database takes no write", { "retry-after": "5" });
    },
  },
];

/** A real write through the real path: a rolled-back one would not notice a full disk. */
function takesWrites(database: Database, now: Date): Promise<boolean> {
  const last = probes.get(database);
  if (last !== undefined && Math.abs(now.getTime() - last.at) < PROBE_MS) return last.ready;
  const ready = database
    .write((sql) =>
      sql.run(
        "INSERT INTO readiness (id, checked_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET checked_at = $1",
        rfc3339Micros(now),
      ),
    )
    .then(
      () => true,
      () => false,
    );
  probes.set(database, { at: now.getTime(), ready });
  return ready;
}
