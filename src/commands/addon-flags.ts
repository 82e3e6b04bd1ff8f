import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseAssignmentsSource } from "../addons/assigned/assignments-source.ts";
import { sweep } from "../addons/on-host/directories.ts";
import { readHostList, type HostList } from "../addons/assigned/host-list.ts";
import { readInventory, type HostAddon } from "../addons/on-host/inventory.ts";
import { Layout, type LayoutName } from "../addons/on-host/layout.ts";
import type { Planning } from "../addons/operations/plan.ts";
import { parsePlatform, platformOf, shownPlatform, type Platform } from "../addons/assigned/platform.ts";
import { storageFailure } from "../addons/on-host/storage-failure.ts";
import { openExistingRoot } from "../addons/on-host/open-root.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { reason } from "../host/files.ts";
import { hostLibc } from "../host/libc.ts";
import { readSecret } from "../host/secrets.ts";
import { parseDuration } from "../cli/durations.ts";
import { readReleaseKeys, TRUST_FLAGS } from "./addon-signers.ts";
import { hostTime } from "./host-time.ts";

/** What the commands about a host's add-ons have in common. */

const LAYOUTS: LayoutName[] = ["waybill", "serviceradar"];
const DEFAULT_ROOT: Readonly<Record<LayoutName, string>> = {
  waybill: "/var/lib/waybill",
  serviceradar: "/var/lib/serviceradar/agent",
};

export const ROOT_FLAGS: {
  readonly root: { readonly type: "string"; readonly valueHint: string; readonly description: string };
  readonly layout: {
    readonly type: "enum";
    readonly options: LayoutName[];
    readonly default: "waybill";
    readonly description: string;
  };
} = {
  root: {
    type: "string",
    valueHint: "DIR",
    description: "where add-ons are staged (/var/lib/waybill, or the layout's own)",
  },
  layout: {
    type: "enum",
    options: LAYOUTS,
    default: "waybill",
    description: "whose file names, and whose variable for the key",
  },
};

export const LOCK_FLAG: {
  readonly "lock-timeout": {
    readonly type: "string";
    readonly valueHint: string;
    readonly default: string;
    readonly description: string;
  };
} = {
  "lock-timeout": {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "how long to wait for another run",
  },
};

/** Does something to the add-ons of a root, alone; the root has to be there. */
export async function alone<T>(
  layout: Layout,
  lockTimeout: string,
  world: World,
  act: () => Promise<T>,
): Promise<T> {
  const budgetMs = parseDuration(lockTimeout, "--lock-timeout", { least: 0 });
  const lock = await openExistingRoot(layout, budgetMs, world.stop);
  try {
    return await act();
  } catch (error) {
    throw storageFailure(error, layout.root);
  } finally {
    lock.release();
  }
}

/** The one add-on that a command changes, without what a killed run left. Call it under the lock. */
export function oneAddon(layout: Layout, id: string): HostAddon {
  const [addon] = readInventory(layout, [id]);
  if (addon === undefined) throw new Failure("not_found", `there is no add-on ${quoted(id)}`);
  sweep(addon.paths.directory, "temporary_files");
  return addon;
}

/** Where the add-ons are, which need not be there yet. Throws Failure `invalid_value` or `root_insecure`. */
export function readLayout(
  flags: { readonly root: string | undefined; readonly layout: string },
  world: World,
): Layout {
  const name = flags.layout === "serviceradar" ? "serviceradar" : "waybill";
  if (flags.root === "") throw new Failure("invalid_value", "--root is empty; wanted a folder");
  const root = resolve(world.cwd, flags.root ?? DEFAULT_ROOT[name]);
  refuseNoFolder(root);
  return new Layout(root, name);
}

/** Before anything below it is looked at: what is missing there would be told of a folder that cannot be one. */
function refuseNoFolder(root: string): void {
  let why = "it is not a folder";
  try {
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== false) return;
  } catch (error) {
    why = reason(error);
  }
  throw new Failure("root_insecure", `the root ${quoted(root)} cannot be used: ${why}`, {
    hint: "name a folder with --root",
  });
}

const LIST = {
  "token-env": {
    type: "string",
    valueHint: "VAR",
    description: "variable that holds the bearer token of that URL",
  },
  override: { type: "string", valueHint: "FILE", description: "this host's own addons.local.json" },
  key: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "an Ed25519 public key; any of several may have signed",
  },
} as const;

const PERMISSION = {
  "allow-unsigned": {
    type: "string",
    repeat: true,
    valueHint: "ID[@DATE]",
    description: "let this add-on be unsigned (until the end of that day, UTC)",
  },
  platform: {
    type: "string",
    valueHint: "OS/ARCH",
    description: "another platform than this machine",
  },
  replace: { type: "boolean", description: "stage other bytes of a staged version beside the old ones" },
  "allow-insecure-http": { type: "boolean", description: "take http for loopback addresses" },
} as const;

/** Of commands that only look, and then need not ask anybody. */
export const OFFER_FLAG = {
  assignments: {
    type: "string",
    valueHint: "FILE|-|URL",
    description: "what is assigned to this host (the list that was fetched last)",
  },
} as const;

/** Of the commands that decide what an assignment list means for this host. */
export const LIST_FLAGS: typeof LIST & typeof TRUST_FLAGS & typeof PERMISSION = {
  ...LIST,
  ...TRUST_FLAGS,
  ...PERMISSION,
};

type ListFlags = Values<typeof LIST_FLAGS>;

/** The platform that was named, or this machine. */
export function readPlatform(text: string | undefined): { platform: Platform; isHost: boolean } {
  const libc = hostLibc();
  const here: Platform = {
    ...platformOf(process.platform, process.arch),
    ...(libc === undefined ? {} : { libc }),
  };
  const platform = text === undefined ? here : parsePlatform(text, "--platform");
  return { platform, isHost: shownPlatform(platform) === shownPlatform(here) };
}

/** What the deciding functions need besides an assignment. */
export async function readPlanning(
  flags: Pick<ListFlags, "key" | "trust" | "trust-state" | "allow-unsigned" | "platform" | "replace">,
  layout: Layout,
  world: World,
): Promise<Planning> {
  const now = hostTime(layout, world);
  return {
    layout,
    ...readPlatform(flags.platform),
    keys: await readReleaseKeys(flags, layout, now, world),
    allowUnsigned: readUnsigned(flags["allow-unsigned"], now),
    replace: flags.replace,
    now,
    stop: world.stop,
  };
}

/** The list to look at: the named one, or the one that was fetched last. Throws Failure: `not_found` without any. */
export async function readListing(
  text: string | undefined,
  flags: ListFlags,
  planning: Planning,
  world: World,
): Promise<HostList> {
  const token = readToken(flags["token-env"], world);
  if (text === undefined && token !== undefined) {
    throw new Failure("flags_contradict", "--token-env was given without --assignments");
  }
  const options = { token, allowInsecureHttp: flags["allow-insecure-http"], cwd: world.cwd };
  const source = text === undefined ? null : parseAssignmentsSource(text, options);
  const override = flags.override === undefined ? null : resolve(world.cwd, flags.override);
  const list = await readHostList(source, override, planning.layout, planning.platform, world.stop);
  if (list instanceof Failure) throw list;
  if (list !== null) return list;
  throw new Failure("not_found", `no assignment list was ever fetched for ${quoted(planning.layout.root)}`, {
    hint: "name one with --assignments",
  });
}

export function readToken(variable: string | undefined, world: World): string | undefined {
  if (variable === undefined) return undefined;
  const value = readSecret({ variable }, world.env, "bearer token");
  world.secrets.register(value);
  return value;
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

/** A number of bytes from a flag. */
export function readBytes(text: string | undefined, flag: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const bytes = /^[1-9]\d{0,14}$/u.test(text) ? Number(text) : 0;
  if (bytes > 0) return bytes;
  throw new Failure(
    "invalid_value",
    `${flag} is ${quoted(text)}; wanted a number of bytes, such as 1073741824`,
  );
}
