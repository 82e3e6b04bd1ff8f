import type { FailureDocument } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Planned } from "./plan.ts";

export type PlanDocument = {
  readonly addon_id: string;
  /** In place now; "" for nothing. */
  readonly version: string;
  readonly wanted_version: string;
  readonly ok: boolean;
  readonly changes: boolean;
  readonly action: string;
  /** Where the bytes would come from: the kept artifact of the host, or a store. */
  readonly from: "kept" | "store" | null;
  readonly error: FailureDocument | null;
};

export function planDocument(planned: Planned): PlanDocument {
  const { step } = planned;
  return {
    addon_id: printable(planned.addonId),
    version: printable(planned.version),
    wanted_version: printable(planned.wantedVersion),
    ok: planned.failure === null,
    changes: planned.changes,
    action: planned.action,
    from: step?.kind === "stage" ? (step.retained === null ? "store" : "kept") : null,
    error: planned.failure?.toDocument() ?? null,
  };
}

export function describePlan(planned: readonly Planned[]): string {
  if (planned.length === 0) return "no add-on is assigned\n";
  return planned
    .map(({ addonId, version, wantedVersion, action, changes, failure }) => {
      const what = failure === null ? (changes ? action : "no change") : failure.code;
      const versions = changes
        ? ` ${printable(version || "nothing", 140)} -> ${printable(wantedVersion, 140)}`
        : "";
      return `${printable(addonId, 140)}:${versions} ${what}\n`;
    })
    .join("");
}
