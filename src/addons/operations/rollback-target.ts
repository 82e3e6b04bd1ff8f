import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Spec, Specs } from "../on-host/spec.ts";
import { compareVersions } from "../version-order.ts";

/**
 * What a rollback goes to: the version that was named, else the last known good, else
 * the one before. Only specs count, as a binary goes back together with its arguments
 * and its configuration. Throws Failure `rollback_target_missing`, `downgrade_refused`
 * for what a publisher took back, or `nothing_named` when it is what runs already.
 */
export function rollbackTarget(specs: Specs, to: string | undefined): Spec {
  const { active, last_known_good: good, history } = specs;
  const all = [...(good === null ? [] : [good]), ...history];
  const others = all.filter(({ folder }) => folder !== active?.folder);
  const found =
    to === undefined ? others[0] : others.find((spec) => spec.folder === to || spec.version === to);
  if (found !== undefined) return notBelow(specs.minimum_version, found);
  if (to !== undefined && (active?.version === to || active?.folder === to)) {
    throw new Failure("nothing_named", `version ${quoted(to)} is what runs already`, {
      hint: `keep it with: waybill addon pin ${active.addon_id}`,
    });
  }
  const known = [...new Set(others.map(({ folder }) => folder))].join(", ");
  throw new Failure(
    "rollback_target_missing",
    to === undefined ? "nothing ran before it" : `version ${quoted(to)} never ran here, or was removed`,
    { hint: known === "" ? "assign another version" : `there is: ${known}` },
  );
}

function notBelow(floor: string, spec: Spec): Spec {
  if (compareVersions(spec.version, floor) !== "older") return spec;
  throw new Failure(
    "downgrade_refused",
    `version ${quoted(spec.version)} is older than ${quoted(floor)}, the oldest that its publisher allows`,
    { hint: "a signed statement says that older versions are not to be used; assign a newer one" },
  );
}
