import { readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { fsyncDirectory } from "../../host/files.ts";
import { runningPaths } from "../../host/running.ts";
import { randomHex } from "../../host/random.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { sweep } from "../on-host/directories.ts";
import { chooseGarbage, type GarbageChoice } from "./garbage.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import { intend, openSpecs, payOwed } from "../on-host/noted-specs.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import type { Warning } from "../warning.ts";

export type Collected = GarbageChoice & { readonly addonId: string };

/** What would be removed of these add-ons. Nothing is written. */
export function planCollection(addons: readonly HostAddon[], keep: number): Collected[] {
  const paths = runningPaths();
  return addons.map((addon) => ({
    addonId: addon.id,
    ...chooseGarbage({
      current: addon.current,
      specs: addon.specs,
      folders: addon.folders.map(({ folder, record }) => ({
        folder,
        sha256: record?.artifact_sha256 ?? null,
      })),
      running: runningFolders(addon.paths, paths),
      // Specs that cannot be read do not say what is wanted still.
      keep: addon.warnings.length > 0 ? Number.POSITIVE_INFINITY : keep,
    }),
  }));
}

/** The folders of an add-on that some process names as its program or in its arguments. */
function runningFolders({ versions }: AddonPaths, running: readonly string[]): Set<string> {
  // Below a link a root has several names: what runs was started by one of them, and the system tells another one.
  const names = new Set([versions, realpathOf(versions)].map((name) => `${name}${sep}`));
  const paths = running.filter((path) => path.includes(`${sep}versions${sep}`));
  const folders = [...paths, ...paths.map(realpathOf)].flatMap((path) =>
    [...names].flatMap((inside) => {
      const at = path.indexOf(inside);
      const folder = at === -1 ? "" : path.slice(at + inside.length).split(sep)[0];
      return folder === undefined || folder === "" ? [] : [folder];
    }),
  );
  return new Set(folders);
}

/** What leads nowhere, or is no path, has the one name that it has. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

export type Collection = { readonly removed: readonly string[]; readonly warnings: readonly Warning[] };

/**
 * Removes what was chosen, and gives what that was. A version first loses its name and then its bytes, so that none
 * ever looks present and is not whole. Call it under the root's lock.
 */
export function collect(addon: HostAddon, choice: GarbageChoice, audit: AuditLog): Collection {
  const { paths } = addon;
  sweep(paths.directory, "temporary_files");
  const { specs, warnings } = openSpecs(paths, audit);
  // Specs that cannot be read do not say what is wanted still.
  if (warnings.some(({ code }) => code === "state_unreadable")) return { removed: [], warnings };
  const gone = new Set(choice.removed);
  // First the specs, so that none of them names a folder that is not there any more.
  const after = { ...specs, history: specs.history.filter(({ folder }) => !gone.has(folder)) };
  const events = choice.removed.map((version) => ({ event: "removed", addon_id: addon.id, version }));
  const intending = intend(paths, specs, after, events, audit);
  for (const folder of choice.removed) {
    const trash = join(paths.directory, `.trash.${randomHex(6)}.tmp`);
    renameSync(paths.version(folder), trash);
    fsyncDirectory(paths.versions);
    rmSync(trash, { recursive: true, force: true });
  }
  const paid = payOwed(paths, intending, audit, false);
  return { removed: choice.removed, warnings: [...warnings, ...paid.warnings] };
}

/** A partial download that nobody went on with. */
const PART = /\.part(?:\.json)?$/u;
const PART_MS = 7 * 86_400_000;

export function collectParts(layout: Layout, nowMs: number): void {
  for (const name of readdirSync(layout.tmp).filter((one) => PART.test(one))) {
    const path = join(layout.tmp, name);
    if (nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) > PART_MS)
      // A stage that ends meanwhile gives it its name.
      rmSync(path, { force: true });
  }
}
