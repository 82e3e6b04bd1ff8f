import { markWarnings } from "../addons/on-host/clock-mark.ts";
import { readHostList } from "../addons/assigned/host-list.ts";
import { parseAssignmentsSource } from "../addons/assigned/assignments-source.ts";
import { readInventory } from "../addons/on-host/inventory.ts";
import { requireRoot } from "../addons/on-host/open-root.ts";
import { describeStatus, statusOf } from "../addons/operations/status.ts";
import { resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { OFFER_FLAG, readLayout, readPlatform, readToken, ROOT_FLAGS } from "./addon-flags.ts";
import { hostTime } from "./host-time.ts";

export const addonStatus: Command = defineCommand({
  name: "status",
  description: "what each add-on has and what it is offered, apart; nothing is written",
  args: {
    id: { type: "positional", required: false, description: "the add-on (all of them)" },
    ...OFFER_FLAG,
    "token-env": {
      type: "string",
      valueHint: "VAR",
      description: "variable that holds the bearer token of that URL",
    },
    override: { type: "string", valueHint: "FILE", description: "this host's own addons.local.json" },
    "allow-insecure-http": { type: "boolean", description: "take http for loopback addresses" },
    ...ROOT_FLAGS,
  },
  examples: ["waybill addon status", "waybill addon status sensor --json"],
  exits: [
    ...(["auth", "policy", "missing", "protocol", "rejected"] as const),
    ...(["transport", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, addons: [], warnings: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    requireRoot(layout);
    const options = {
      token: readToken(flags["token-env"], world),
      allowInsecureHttp: flags["allow-insecure-http"],
      cwd: world.cwd,
    };
    const source =
      flags.assignments === undefined ? null : parseAssignmentsSource(flags.assignments, options);
    const override = flags.override === undefined ? null : resolve(world.cwd, flags.override);
    const { platform } = readPlatform(undefined);
    const found = await readHostList(source, override, layout, platform, world.stop);
    // What is here is shown all the same.
    const list = found instanceof Failure ? null : found;
    const inventory = readInventory(layout, []);
    const all = statusOf(inventory, list, platform, layout, hostTime(layout, world));
    const addons = flags.id === undefined ? all : all.filter(({ addon_id }) => addon_id === flags.id);
    if (addons.length === 0 && flags.id !== undefined) {
      throw new Failure("not_found", `add-on ${quoted(flags.id)} is neither staged nor assigned`);
    }
    const warnings = [
      ...(found instanceof Failure ? [{ code: "state_unreadable", message: found.message }] : []),
      ...markWarnings(layout.clock),
      ...(list?.warnings ?? []),
      ...inventory.flatMap((addon) => addon.warnings),
    ];
    for (const { message } of warnings) world.say.warn(message);
    return {
      exit: EXIT.ok,
      document: {
        checked: addons.length,
        assignments: list === null ? "none" : source === null ? "cache" : "source",
        addons,
        warnings,
      },
      text: addons.length === 0 ? "no add-on is staged or assigned\n" : describeStatus(addons),
    };
  },
});
