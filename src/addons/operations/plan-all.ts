import { EXIT, type ExitCode } from "../../base/exit-codes.ts";
import type { HostList } from "../assigned/host-list.ts";
import { planOne, type Planned, type Planning } from "./plan.ts";

/** What would become of every assignment, in the order of the list, refused entries last. */
export async function planAll(list: HostList, planning: Planning): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const assignment of list.assignments) planned.push(await planOne(assignment, planning));
  const refused = list.refused.map(({ addon_id, version, failure }): Planned => ({
    addonId: addon_id,
    version: "",
    wantedVersion: version,
    action: "none",
    changes: false,
    failure,
    ask: { kind: "refuse", failure },
    facts: null,
    step: null,
  }));
  return [...planned, ...refused];
}

/** 20 when anything would change, else what stands in the way, else 0. */
export function exitOfPlan(planned: readonly Planned[]): ExitCode {
  if (planned.some(({ changes }) => changes)) return EXIT.changes;
  const codes = planned.flatMap(({ failure }) => (failure === null ? [] : [failure.exitCode]));
  const [first] = codes;
  if (first === undefined) return EXIT.ok;
  return codes.every((code) => code === first) && codes.length === planned.length ? first : EXIT.partial;
}
