import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { inspect } from "../on-host/installed.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import { openSpecs, switchNoted, writeNoted, type Opened } from "../on-host/noted-specs.ts";
import { rollbackTarget } from "./rollback-target.ts";
import { goBack, type Spec } from "../on-host/spec.ts";
import type { Warning } from "../warning.ts";

export type RolledBack = {
  readonly from: Spec | null;
  readonly to: Spec;
  /** The real path of the program. */
  readonly path: string;
  readonly warnings: readonly Warning[];
};

/**
 * Puts an earlier version back, whole, after its bytes were read again; works without any network. What it replaces
 * is not taken again until it is unpinned or something else is assigned. Call it under the root's lock.
 */
export async function rollBack(
  addon: HostAddon,
  to: string | undefined,
  audit: AuditLog,
  stop: AbortSignal,
): Promise<RolledBack> {
  const { paths } = addon;
  const { specs, warnings } = specsToChange(addon, audit);
  const target = rollbackTarget(specs, to);
  const { folder, binary_name: name, artifact_sha256: sha256 } = target;
  const found = await inspect(paths, folder, {
    binaryName: name,
    sha256,
    check: null,
    modes: "put_right",
    stop,
  });
  if (found.sha256 !== sha256) {
    throw new Failure(
      "hash_mismatch",
      `version ${quoted(target.version)} is not what was verified: ${found.damage.slice(0, 3).join("; ")}`,
      { hint: `make it whole with: waybill addon fsck --repair ${addon.id}` },
    );
  }
  const after = goBack(specs, target);
  const event = {
    event: "rolled_back",
    addon_id: addon.id,
    version: target.version,
    sha256,
    detail: specs.active === null ? undefined : `from ${specs.active.version}`,
  };
  const noted = switchNoted(paths, specs, { spec: target, back: true }, after, [event], audit);
  const path = paths.binary(folder, name);
  return { from: specs.active, to: target, path, warnings: [...warnings, ...noted.warnings] };
}

/** What an operator changes has to be known: specs that cannot be read are Failure `record_mismatch`. */
function specsToChange({ paths }: HostAddon, audit: AuditLog): Opened {
  const opened = openSpecs(paths, audit);
  const unreadable = opened.warnings.find(({ code }) => code === "state_unreadable");
  if (unreadable === undefined) return opened;
  throw new Failure("record_mismatch", unreadable.message, {
    hint: "waybill addon-stage writes them anew, from what is assigned",
  });
}

/** Keeps what runs now, whatever is assigned. Throws Failure `nothing_checked` when nothing runs. */
export function pin(addon: HostAddon, reason: string, audit: AuditLog): { spec: Spec; warnings: Warning[] } {
  const { specs, warnings } = specsToChange(addon, audit);
  const spec = specs.active;
  if (spec === null) {
    throw new Failure(
      "nothing_checked",
      `nothing is in place of add-on ${quoted(addon.id)} that could be pinned`,
    );
  }
  const { artifact_sha256, version } = spec;
  const after = { ...specs, pinned: { artifact_sha256, version, reason } };
  const event = { event: "pinned", addon_id: addon.id, version, sha256: artifact_sha256 };
  const noted = writeNoted(addon.paths, specs, after, [event], audit);
  return { spec, warnings: [...warnings, ...noted.warnings] };
}

/** Takes what is assigned again, also what was rolled back from. */
export function unpin(addon: HostAddon, audit: AuditLog): { changed: boolean; warnings: Warning[] } {
  const { specs, warnings } = specsToChange(addon, audit);
  const changed = specs.pinned !== null || specs.blocked.length > 0;
  if (!changed) return { changed, warnings: [...warnings] };
  const after = { ...specs, pinned: null, blocked: [] };
  const noted = writeNoted(addon.paths, specs, after, [{ event: "unpinned", addon_id: addon.id }], audit);
  return { changed, warnings: [...warnings, ...noted.warnings] };
}
