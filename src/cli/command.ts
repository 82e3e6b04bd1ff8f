import type { ExitCode, ExitName } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import type { CiWishes } from "./ci-wishes.ts";
import type { Flags, Values } from "./flags.ts";
import type { Redactor } from "./redactor.ts";
import type { Report } from "./report-rows.ts";
import type { Speaker } from "./speaker.ts";
import { readArguments } from "./strict-arguments.ts";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** What a command hands back: one verdict in two forms, and what to tell the person. */
export type Outcome = {
  readonly exit: ExitCode;
  /** Members of the `--json` document after `schema`, `ok` and `exit_code`. */
  readonly document: JsonObject;
  /** What standard output gets without `--json`, with its last line break; "" prints nothing. */
  readonly text: string;
  /** Told on standard error, and as an annotation where the CI runner knows them. */
  readonly failures?: readonly Failure[];
  /** For the CI system, when the command called `World.askForCiFiles`; made when there is one. */
  readonly report?: () => Report;
};

/** The outside, as the commands see it. Only main.ts makes one. */
export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  readonly say: Speaker;
  readonly secrets: Redactor;
  /** Said by a command whose result CI systems go on with, before it does anything. */
  readonly askForCiFiles: (wishes: CiWishes) => void;
  readonly now: () => Date;
  /** The command tree, for the commands that speak about the others. */
  readonly root: Group;
  /** Writes the result before the command has ended: for `serve`, which then runs on. */
  readonly publish: (outcome: Outcome) => Promise<void>;
};

export type Command = {
  readonly meta: { readonly name: string; readonly description: string };
  readonly args: Flags;
  readonly examples: readonly string[];
  readonly exits: readonly ExitName[];
  /** Members that the document has even when the command failed before its work began. */
  readonly emptyDocument: JsonObject;
  readonly act: (argv: readonly string[], usage: string, world: World) => Promise<Outcome>;
};

type Definition<F extends Flags> = {
  readonly name: string;
  readonly description: string;
  readonly args: F;
  readonly examples: readonly string[];
  /** The ways this command can end besides `ok`, `internal` and `usage`. */
  readonly exits: readonly ExitName[];
  readonly emptyDocument?: JsonObject;
  readonly act: (values: Values<F>, world: World) => Promise<Outcome>;
};

export function defineCommand<const F extends Flags>(definition: Definition<F>): Command {
  return {
    meta: { name: definition.name, description: definition.description },
    args: definition.args,
    examples: definition.examples,
    exits: ["ok", "internal", "usage", ...definition.exits],
    emptyDocument: definition.emptyDocument ?? {},
    // The arguments are read here, where their types are still known.
    act: (argv, usage, world) => definition.act(readArguments(argv, definition.args, usage), world),
  };
}

/** A command that only holds others, each loaded when it is called. */
export type Group = {
  readonly meta: { readonly name: string; readonly description: string };
  /** The subcommand that runs when none is named. */
  readonly default?: string;
  readonly members: Readonly<Record<string, Member>>;
};

export type Member = {
  /** Beside the loader, so that an overview loads no command. */
  readonly description: string;
  readonly load: () => Promise<Command | Group>;
};

export function defineGroup(definition: {
  readonly name: string;
  readonly description: string;
  readonly default?: string;
  readonly members: Readonly<Record<string, Member>>;
}): Group {
  return {
    meta: { name: definition.name, description: definition.description },
    ...(definition.default === undefined ? {} : { default: definition.default }),
    members: definition.members,
  };
}

export function isGroup(command: Command | Group): command is Group {
  return "members" in command;
}
