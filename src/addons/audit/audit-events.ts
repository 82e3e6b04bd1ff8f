import type { AuditEvent } from "./audit-chain.ts";
import type { Action } from "../staging/outcome.ts";
import { signersOf, type Spec } from "../on-host/spec.ts";
import type { Warning } from "../warning.ts";

/** What is noted when something was done; what left everything as it was has no line. */
const EVENTS: Readonly<Partial<Record<Action, string>>> = {
  stage: "staged",
  replace: "staged",
  repair: "repaired",
  activate: "activated",
  reconfigure: "reconfigured",
  restore: "restored",
};

/** The lines for one action: first what let it pass although something stood against it, then what was done. */
export function eventOf(action: Action, spec: Spec, warnings: readonly Warning[]): AuditEvent[] {
  const event = EVENTS[action];
  if (event === undefined) return [];
  const { addon_id, version, artifact_sha256: sha256, keyid } = spec;
  const keyids = signersOf(spec);
  const by = { ...(keyid === undefined ? {} : { keyid }), ...(keyids.length < 2 ? {} : { keyids }) };
  const what = { addon_id, version, sha256, ...by };
  return [...warnings.map(({ code }) => ({ event: code, ...what })), { event, ...what }];
}
