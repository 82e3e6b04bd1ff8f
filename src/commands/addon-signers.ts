import { resolve } from "node:path";
import type { Layout, LayoutName } from "../addons/on-host/layout.ts";
import type { ReleaseKeys } from "../addons/staging/run.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { parsePublicKey, type PublicKey } from "../trust/public-key.ts";

/** Who may have signed add-ons, and which may be without a signature. */

type SignerFlags = {
  readonly key: readonly string[];
  readonly trust: string | undefined;
  readonly "trust-state": string | undefined;
};

/** Who may have signed which add-on. A trust root takes the place of the bare keys, and of the layout's variable. */
export async function readReleaseKeys(
  { key, trust, "trust-state": state }: SignerFlags,
  layout: Layout,
  world: World,
): Promise<ReleaseKeys> {
  if (trust === undefined) {
    if (state !== undefined)
      throw new Failure("flags_contradict", "--trust-state was given without --trust, which it is for");
    const keys = readKeys(key, layout.name, world);
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
    world,
  );
}

/** The add-ons that may be unsigned now. A permission that has run out is none. */
export function readUnsigned(values: readonly string[], now: Date): ReadonlySet<string> {
  const today = now.toISOString().slice(0, 10);
  const ids = values.flatMap((value) => {
    const [id = "", date, ...rest] = value.split("@");
    const isDate = date === undefined || (/^\d{4}-\d\d-\d\d$/u.test(date) && !Number.isNaN(Date.parse(date)));
    if (id === "" || rest.length > 0 || !isDate) {
      throw new Failure("invalid_value", `--allow-unsigned is ${quoted(value)}; wanted ID or ID@YYYY-MM-DD`);
    }
    return date === undefined || today <= date ? [id] : [];
  });
  return new Set(ids);
}

/** The keys that may sign; in the original's layout its own variable counts when no flag is there. */
export function readKeys(values: readonly string[], layout: LayoutName, world: World): PublicKey[] {
  const variable = "SERVICERADAR_AGENT_RELEASE_PUBLIC_KEY";
  const text = world.env[variable] ?? "";
  if (values.length === 0 && layout === "serviceradar" && text.trim() !== "") {
    return [parsePublicKey(text, `$${variable}`)];
  }
  return values.map((value) => publicKeyArgument(value, "--key"));
}
