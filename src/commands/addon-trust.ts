import type { ReleaseKeys } from "../addons/staging/run.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { keysFor, thresholdFor } from "../trust/trust-root.ts";
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
  const wanted = thresholdFor(root, ADDON_ROLE);
  if (wanted > 1)
    throw new Failure(
      "trust_root_invalid",
      `${quoted(file)} wants ${wanted} keys to sign an add-on; an add-on carries one signature`,
      { hint: "let the role addon need one key" },
    );
  const now = world.now();
  for (const key of root.keys) {
    const why = key.roles?.includes(ADDON_ROLE) === true ? distrust(key, ADDON_ROLE, null, now) : null;
    if (why !== null) world.say.warn(`${why.message}; it signs no add-on`);
  }
  // OpenSSH's namespaces are about another kind of signature than the raw one of an add-on.
  const usable = { ...root, keys: root.keys.filter(({ namespaces }) => namespaces === null) };
  return ({ id, sha256 }) => keysFor(usable, ADDON_ROLE, { name: id, sha256 }, now);
}
