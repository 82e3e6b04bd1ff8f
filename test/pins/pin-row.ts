import type { PinRow } from "../../src/pins/pin.ts";
import { NEW } from "./rows.ts";

/** A row of which nothing is known beside what it must have. */
export function pinRow(more: Partial<PinRow> = {}): PinRow {
  return {
    template: "codex",
    region: "global",
    digest: NEW,
    gitSha: null,
    seq: null,
    promotedAt: null,
    promotedBy: null,
    imageRef: null,
    state: null,
    remarks: [],
    shadows: [],
    ...more,
  };
}
