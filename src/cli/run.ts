import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { Annotator } from "./annotations.ts";
import { wantsCiFiles, type CiWishes } from "./ci-wishes.ts";
import { isGroup, type Command, type Group, type Member, type Outcome, type World } from "./command.ts";
import { nearest } from "../base/nearest.ts";
import { Redactor } from "./redactor.ts";
import { writeReport } from "./report.ts";
import { Speaker } from "./speaker.ts";
import { readArguments } from "./strict-arguments.ts";

type Outside = Pick<World, "env" | "cwd" | "stop" | "now">;
type Environment = World["env"];

/**
 * argv to exit code: finds the command, reads its arguments strictly, lets it act, and reports once. A `refusal`
 * is reported in place of the command.
 */
export async function run(
  root: Group,
  words: readonly string[],
  refusal: Failure | null,
  outside: Outside,
): Promise<ExitCode> {
  // What people type first at any program.
  const argv = words[0] === "--version" ? ["version", ...words.slice(1)] : words;
  const common = commonFlags(argv);
  const secrets = new Redactor();
  const say = new Speaker(common.loudness, secrets, new Annotator(outside.env));
  const called: Called = { schema: "error", path: [], command: undefined };
  let wishes: CiWishes | null = null;
  let published: ExitCode | null = null;

  const write = async (ended: Outcome): Promise<ExitCode> => {
    tellDetails(ended, called, say, outside.now());
    const outcome =
      wishes === null ? ended : await leaveCiFiles(ended, called, wishes, outside.env, secrets, say);
    for (const failure of outcome.failures ?? []) say.failure(failure);
    const written = await writeReport(called.schema, outcome, common.json, secrets);
    if (written.problem !== undefined) say.failure(new Failure("output_not_written", written.problem));
    return written.exit;
  };
  const askForCiFiles = (asked: CiWishes): void => void (wishes = asked);
  const publish = async (outcome: Outcome): Promise<void> => {
    published = await write(outcome);
  };

  let outcome: Outcome;
  try {
    if (refusal !== null) throw refusal;
    outcome = await answer(root, argv, called, common, {
      ...outside,
      say,
      secrets,
      root,
      publish,
      askForCiFiles,
    });
  } catch (thrown) {
    outcome = failed(asFailure(thrown), called.command);
  }
  const exit = published === null ? await write(outcome) : worse(tellRest(outcome, say), published);
  await say.flush();
  return exit;
}

/** What was wrong at the end; else that what was told at the beginning reached nobody. */
function worse(rest: ExitCode, published: ExitCode): ExitCode {
  return rest === EXIT.ok ? published : rest;
}

type Common = {
  readonly json: boolean;
  readonly help: boolean;
  readonly contradictory: boolean;
  readonly loudness: "quiet" | "normal" | "verbose";
};
/** `schema` names the document that is going to be printed: the command's own, `help`, or `error` without either. */
type Called = { schema: string; path: string[]; command: Command | undefined };

async function answer(
  root: Group,
  argv: readonly string[],
  called: Called,
  common: Common,
  world: World,
): Promise<Outcome> {
  const { command, rest } = await find(root, argv, called, common.help);
  const usage = `see: ${["waybill", ...called.path].join(" ")} --help`;
  if (!isGroup(command)) {
    called.command = command;
    called.schema = called.path.join("-");
  }
  if (isGroup(command) || common.help) {
    // --help wins over everything, except that a caller who asked for JSON gets its usage errors as JSON.
    if (common.json) readArguments(rest, isGroup(command) ? {} : withoutRequired(command), usage);
    called.schema = "help";
    return help(command, called.path, world);
  }
  if (common.contradictory)
    throw new Failure("flags_contradict", "--quiet and --verbose contradict each other");
  return command.act(rest, usage, world);
}

/** Walks the leading words of argv down the command tree. */
async function find(
  root: Group,
  argv: readonly string[],
  called: Called,
  wantsHelp: boolean,
): Promise<{ command: Command | Group; rest: readonly string[] }> {
  let command: Command | Group = root;
  let index = 0;
  while (isGroup(command)) {
    const word: string | undefined = argv[index];
    const named: boolean = word !== undefined && !word.startsWith("-");
    const name: string | undefined = named ? word : command.default;
    if (!named && wantsHelp) break;
    // Own properties only: `waybill toString` must not find Object.prototype.
    const member: Member | undefined =
      name !== undefined && Object.hasOwn(command.members, name) ? command.members[name] : undefined;
    if (name === undefined || member === undefined) throw unknownCommand(word, command, called.path);
    if (named) index++;
    called.path.push(name);
    command = await member.load();
  }
  return { command, rest: argv.slice(index) };
}

function unknownCommand(word: string | undefined, group: Group, path: readonly string[]): Failure {
  const names = Object.keys(group.members);
  const full = ["waybill", ...path].join(" ");
  if (word === undefined || word.startsWith("-")) {
    return new Failure("unknown_command", `${full} needs a command: ${names.join(", ")}`, {
      hint: `see: ${full} --help`,
    });
  }
  const close = nearest(word, names);
  return new Failure(
    "unknown_command",
    `unknown command ${quoted(word)}; wanted one of ${names.join(", ")}`,
    {
      hint: close === null ? `see: ${full} --help` : `did you mean ${full} ${close}?`,
    },
  );
}

async function help(command: Command | Group, path: readonly string[], world: World): Promise<Outcome> {
  // Only those who ask for it pay for the renderer.
  const { helpOf } = await import("./help.ts");
  const text = await helpOf(command, ["waybill", ...path], world.env);
  const commands = isGroup(command) ? { commands: Object.keys(command.members) } : {};
  return { exit: EXIT.ok, document: { ...commands, help: Bun.stripANSI(text) }, text };
}

function withoutRequired(command: Command): Command["args"] {
  return Object.fromEntries(
    Object.entries(command.args).map(([name, flag]) => [name, { ...flag, required: false }]),
  );
}

function failed(failure: Failure, command: Command | undefined): Outcome {
  const document = { ...command?.emptyDocument, error: failure.toDocument() };
  return { exit: failure.exitCode, document, text: "", failures: [failure] };
}

/** The folded part of the log, where somebody reads it. */
function tellDetails({ report }: Outcome, called: Called, say: Speaker, now: Date): void {
  if (report === undefined || !say.hasDetails) return;
  const details = report().rows.flatMap((row) => row.details.map((line) => `${row.name}: ${line}`));
  if (details.length > 0) say.details(`waybill ${called.path.join(" ")}, step by step`, details, now);
}

/** The files of the CI system. What could not be written may change how the run ends. */
async function leaveCiFiles(
  outcome: Outcome,
  called: Called,
  wishes: CiWishes,
  env: Environment,
  secrets: Redactor,
  say: Speaker,
): Promise<Outcome> {
  if (!wantsCiFiles(wishes, env)) return outcome;
  const { CiReport } = await import("./ci-report.ts");
  const { exit, document, report, failures = [] } = outcome;
  const ended = { command: called.path.join(" "), exit, report: report?.(), failures };
  const ci = new CiReport(env, secrets, () => crypto.randomUUID().replaceAll("-", ""));
  const { warnings, failure } = ci.write(ended, wishes);
  for (const warning of warnings) say.warn(warning);
  if (failure === null) return outcome;
  const error = document["error"] ?? failure.toDocument();
  return {
    ...outcome,
    exit: failure.exitCode,
    document: { ...document, error },
    failures: [...failures, failure],
  };
}

function tellRest(outcome: Outcome, say: Speaker): ExitCode {
  for (const failure of outcome.failures ?? []) say.failure(failure);
  return outcome.exit;
}

/** Read before anything else can fail, so that even a usage error is told in the form that was asked for. */
function commonFlags(argv: readonly string[]): Common {
  const end = argv.indexOf("--");
  const flags = end === -1 ? argv : argv.slice(0, end);
  // `-qh` is `-q -h`: a cluster of these three letters and no other.
  let letters = "";
  for (const flag of flags)
    if (flag.startsWith("-") && !flag.startsWith("--") && /^-[hqv]+$/u.test(flag)) letters += flag;
  const has = (name: string, letter: string): boolean => flags.includes(name) || letters.includes(letter);
  const quiet = has("--quiet", "q");
  const verbose = has("--verbose", "v");
  return {
    json: flags.includes("--json"),
    help: has("--help", "h"),
    contradictory: quiet && verbose,
    loudness: quiet ? "quiet" : verbose ? "verbose" : "normal",
  };
}
