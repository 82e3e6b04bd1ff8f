import type { ReleaseKeys } from "../addons/staging/release-signers.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { signersIn } from "../trust/trust-root-signers.ts";
import { loadTrust } from "../trust/trust-source.ts";
import { distrust } from "../trust/trusted-key.ts";

/** The role of a trust root whose keys may sign add-ons. */
const ADDON_ROLE = "addon";

/**
 * Who may sign which add-on, by a trust root: role, scope, window and revocation are judged for each artifact, by the
 * one reading of the clock. Throws Failure with a usage code, or those of a trust root.
 */
export function readAddonTrust(file: string, stateFile: string | null, world: World): ReleaseKeys {
  const { root, skipped } = loadTrust(file, stateFile);
  for (const reason of skipped) world.say.warn(`${quoted(file)} ${reason}`);
  const now = world.now();
  for (const key of root.keys) {
    const why = key.roles?.includes(ADDON_ROLE) === true ? distrust(key, ADDON_ROLE, null, now) : null;
    if (why !== null) world.say.warn(`${why.message}; it signs no add-on`);
  }
  const names = new Map(root.keys.map(({ key, name }) => [key.keyid, name]));
  return ({ id, sha256 }) => ({
    ...signersIn(root, ADDON_ROLE, { name: id, sha256 }, now),
    names,
    rootVersion: root.version,
  });
}
