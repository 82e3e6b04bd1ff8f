import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { become } from "../addons/supervision/become.ts";
import { readLayout, readPlatform, ROOT_FLAGS } from "./addon-flags.ts";

export const addonExec: Command = defineCommand({
  name: "exec",
  description: "become the program of an add-on, after all of its bytes were read again; without any network",
  args: {
    id: { type: "positional", required: true, description: "the add-on" },
    args: {
      type: "positional",
      required: false,
      rest: true,
      description: "after --: arguments for it, behind those that are assigned",
    },
    env: {
      type: "string",
      repeat: true,
      valueHint: "NAME",
      description: "a variable to pass on, besides the usual ones",
    },
    ...ROOT_FLAGS,
  },
  examples: [
    "waybill addon exec sensor",
    "waybill addon exec sensor --env SENSOR_ENDPOINT -- --once",
    "ExecStart=/usr/local/bin/waybill addon exec sensor",
  ],
  exits: ["policy", "untrusted", "missing", "mismatch", "server", "interrupted", "terminated"],
  act: (flags, world) => {
    const wrong = flags.env.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name));
    if (wrong !== undefined)
      throw new Failure("invalid_value", `--env is ${quoted(wrong)}; wanted the name of a variable`, {
        hint: "its value is taken from the environment, so that nobody finds it among the arguments",
      });
    return become({
      layout: readLayout(flags, world),
      ...readPlatform(undefined),
      id: flags.id,
      args: flags.args,
      environment: world.env,
      passed: flags.env,
      stop: world.stop,
      tell: async (message) => {
        world.say.warn(message);
        await world.say.flush();
      },
    });
  },
});
