import type { ReleaseKeys } from "../addons/staging/release-signers.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { signersIn } from "../trust/trust-root-signers.ts";
import { loadTrust } from "../trust/trust-source.ts";
import { distrust, distrustNamespace } from "../trust/trusted-key.ts";

/** The role of a trust root whose keys may sign add-ons. */
const ADDON_ROLE = "addon";

/**
 * Who may sign which add-on at `now`, the host's time, by a trust root: role, scope, window and revocation are judged
 * for each artifact. Throws Failure with a usage code, or those of a trust root.
 */
export function readAddonTrust(file: string, stateFile: string | null, now: Date, world: World): ReleaseKeys {
  const { root, skipped } = loadTrust(file, stateFile);
  for (const reason of skipped) world.say.warn(`${quoted(file)} ${reason}`);
  // What was seen as the time before may have been wrong: no window begins by it.
  const clock = world.now();
  for (const key of root.keys) {
    if (key.roles?.includes(ADDON_ROLE) !== true) continue;
    const why = distrust(key, ADDON_ROLE, null, now, clock) ?? distrustNamespace(key, null);
    if (why !== null) world.say.warn(`${why.message}; it signs no add-on`);
  }
  const names = new Map(root.keys.map(({ key, name }) => [key.keyid, name]));
  return ({ id, sha256 }) => ({
    ...signersIn(root, ADDON_ROLE, { name: id, sha256 }, now, clock),
    names,
    rootVersion: root.version,
  });
}
