import { resolve } from "node:path";
import type { Layout, LayoutName } from "../addons/on-host/layout.ts";
import { bareKeys, type ReleaseKeys } from "../addons/staging/release-signers.ts";
import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { parsePublicKey, type PublicKey } from "../trust/public-key.ts";

/** A trust root in the place of bare keys. */
export const TRUST_FLAGS = {
  trust: {
    type: "string",
    valueHint: "ROOT",
    description: "a trust root: its keys in the role addon may have signed, each within its scopes",
  },
  "trust-state": {
    type: "string",
    valueHint: "FILE",
    description: "with --trust: remembers the newest root seen here, and refuses older ones",
  },
} as const;

const SIGNER = {
  key: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "an Ed25519 public key that has to have signed; any of several",
  },
} as const;

/** Of the commands that look at what a host has already. */
export const SIGNERS_FLAGS: typeof SIGNER & typeof TRUST_FLAGS = { ...SIGNER, ...TRUST_FLAGS };

type SignerFlags = Values<typeof SIGNERS_FLAGS>;

/** Who has to have signed what is staged; null when nobody is named, which leaves signatures alone. */
export async function readSigners(
  flags: SignerFlags,
  layout: Layout,
  now: Date,
  world: World,
): Promise<ReleaseKeys | null> {
  const keys = await readReleaseKeys(flags, layout, now, world);
  return flags.trust === undefined && readKeys(flags.key, layout.name, world).length === 0 ? null : keys;
}

/**
 * Who may have signed which add-on at `now`, the host's time. A trust
 * root takes the place of the bare keys, and of the layout's variable.
 */
export async function readReleaseKeys(
  { key, trust, "trust-state": state }: SignerFlags,
  layout: Layout,
  now: Date,
  world: World,
): Promise<ReleaseKeys> {
  if (trust === undefined) {
    if (state !== undefined)
      throw new Failure("flags_contradict", "--trust-state was given without --trust, which it is for");
    const keys = bareKeys(readKeys(key, layout.name, world));
    return () => keys;
  }
  if (key.length > 0)
    throw new Failure("flags_contradict", "--key and --trust both say who may have signed", {
      hint: "give one",
    });
  const { readAddonTrust } = await import("./addon-trust.ts");
  return readAddonTrust(
    resolve(world.cwd, trust),
    state === undefined ? null : resolve(world.cwd, state),
    now,
    world,
  );
}

/** The keys that may sign; in the original's layout its own variable counts when no flag is there. */
function readKeys(values: readonly string[], layout: LayoutName, world: World): PublicKey[] {
  const variable = "SERVICERADAR_AGENT_RELEASE_PUBLIC_KEY";
  const text = world.env[variable] ?? "";
  if (values.length === 0 && layout === "serviceradar" && text.trim() !== "") {
    return [parsePublicKey(text, `$${variable}`)];
  }
  return values.map((value) => publicKeyArgument(value, "--key"));
}
