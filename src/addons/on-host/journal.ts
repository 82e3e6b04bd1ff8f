import { advance, goBack, owingMore, type Specs } from "./spec.ts";
import { higherVersion } from "../version-order.ts";

/**
 * A switch goes through three states, all in the one specs file, which is replaced atomically:
 *
 *   prepared    `pending` is the spec whose verified bytes are about to be shown; `current` shows another folder
 *   activated   `current` shows the folder of `pending`; `active` is still the spec before it
 *   committed   `active` is that spec, and `pending` is empty
 *
 * A run that dies in between is finished by the next one with the function below, so that a binary is never paired
 * with the configuration of another version.
 */
export type SwitchState = "prepared" | "activated" | "committed";

export function switchState({ pending }: Specs, current: string | null): SwitchState {
  if (pending === null) return "committed";
  return current === pending.spec.folder ? "activated" : "prepared";
}

/** What the specs have to be, given what `current` shows: the switch took place, or it did not. */
export function settle(specs: Specs, current: string | null): Specs {
  const { pending } = specs;
  if (pending === null) return specs;
  if (switchState(specs, current) === "prepared") return { ...specs, pending: null };
  const { spec, back, owed = [] } = pending;
  const mark = higherVersion(specs.highest_version, spec.version);
  return owingMore(back ? goBack(specs, spec) : advance(specs, spec, mark), owed);
}
