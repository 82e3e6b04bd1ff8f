import { resolve } from "node:path";
import { exportAddons } from "../addons/operations/export.ts";
import { readInventory } from "../addons/on-host/inventory.ts";
import { requireRoot } from "../addons/on-host/open-root.ts";
import { EXIT } from "../base/exit-codes.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { alone, LOCK_FLAG, readLayout, readPlatform, ROOT_FLAGS } from "./addon-flags.ts";

export const addonExport: Command = defineCommand({
  name: "export",
  description: "write what add-ons run into one file, for hosts without a network",
  args: {
    id: { type: "string", repeat: true, valueHint: "ID", description: "only this add-on (all of them)" },
    out: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "the file; it holds configurations",
    },
    platform: { type: "string", valueHint: "OS/ARCH", description: "what was staged here (this machine)" },
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon export --out addons.tar", "waybill addon export --id sensor --out sensor.tar"],
  exits: ["policy", "untrusted", "missing", "mismatch", "conflict", "server", "interrupted", "terminated"],
  emptyDocument: { checked: 0, addons: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const { platform } = readPlatform(flags.platform);
    requireRoot(layout);
    const out = resolve(world.cwd, flags.out);
    // Alone, so that nothing is switched or removed while it is read.
    const exported = await alone(layout, flags["lock-timeout"], world, () =>
      exportAddons(readInventory(layout, flags.id), platform, out, world.stop),
    );
    return {
      exit: EXIT.ok,
      document: {
        checked: exported.length,
        out,
        addons: exported.map(({ addonId, version, sha256, bytes }) => ({
          addon_id: addonId,
          version,
          digest: `sha256:${sha256}`,
          bytes,
        })),
      },
      text: exported
        .map(({ addonId, version, sha256 }) => `${addonId} ${version}: sha256:${sha256}\n`)
        .join(""),
    };
  },
});
