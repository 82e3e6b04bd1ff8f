import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { nearest } from "../base/nearest.ts";
import { printable, quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { paths } from "../host/file-system.ts";
import { readBounded } from "../host/files.ts";
import { readSecret, type SecretSource } from "../host/secrets.ts";
import { isEnvironmentName, type Credential, type Target } from "../pins/target.ts";
import { parseTargetConfig, type TargetConfig } from "../pins/target-config.ts";
import { judgingTime } from "./judging-time.ts";
import { tellProxies } from "./network-flags.ts";
import type { PlaceFlags } from "./pin-flags.ts";
import { doubtsAbout, meantName } from "./target-doubts.ts";

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/**
 * The environments of a run, each with its credential. Everything that is wrong with them is known before the first
 * request: all missing credentials are named in one failure.
 */
export function readTargets(flags: PlaceFlags, world: World): Target[] {
  // The certificate of each of them is judged by it.
  judgingTime(world);
  const named = namedTargets(flags, world);
  if (named.length === 0) {
    throw new Failure("nothing_named", "no environment is named", {
      hint: "give --target NAME=URL, or --config FILE with --env NAME or --all",
    });
  }
  const sources = {
    env: variables(flags["token-env"], "--token-env"),
    file: pairs(flags["token-file"], "--token-file"),
  };
  const readers = variables(flags["read-token-env"], "--read-token-env");
  for (const given of [sources.env, sources.file, readers]) refuseStrangers(given, named);
  const problems: Failure[] = [];
  const targets: Target[] = [];
  for (const { env, config, from } of named) {
    const base = parseEndpoint(config.url, {
      from: from === SEED_HOST ? from : `the URL of ${env}`,
      allowInsecureHttp: flags["allow-insecure-http"],
      path: "none",
      linkLocal: config.allow_link_local === true ? "allowed" : "refused",
    });
    const token = credential(tokenSource(env, config, sources, world), env, world, problems);
    const reader = readers.get(env) ?? config.read_token_env;
    const readToken = reader === undefined ? null : credential({ variable: reader }, env, world, problems);
    if (token !== null) targets.push({ env, base, from, token, readToken });
  }
  const [first] = problems;
  if (first !== undefined)
    throw problems.length === 1
      ? first
      : new Failure(first.code, problems.map((one) => one.message).join("; "), first);
  tellProxies(targets, flags.proxy, world);
  for (const doubt of doubtsAbout(targets, flags.strict)) world.say.warn(doubt);
  return targets;
}

type Named = { readonly env: string; readonly config: TargetConfig; readonly from: string };

function namedTargets(flags: PlaceFlags, world: World): Named[] {
  const direct: Named[] = [];
  for (const [env, url] of pairs(flags.target, "--target"))
    direct.push({ env, config: { url }, from: `--target ${env}` });
  const path = flags.config ?? (direct.length === 0 ? world.env["WAYBILL_CONFIG"] : undefined);
  const wantsConfig = flags.all || flags.env.length > 0;
  if (direct.length > 0 && (wantsConfig || flags.config !== undefined)) {
    throw new Failure("flags_contradict", "--target and --config contradict each other", {
      hint: "use one of them",
    });
  }
  if (path === undefined) {
    if (wantsConfig)
      throw new Failure("flag_missing", "--env and --all need --config FILE or $WAYBILL_CONFIG");
    return direct.length > 0 ? direct : seedTarget(world);
  }
  if (flags.all && flags.env.length > 0)
    throw new Failure("flags_contradict", "--all and --env contradict each other");
  const { dirname, resolve } = paths();
  const place = resolve(world.cwd, path);
  const bytes = readBounded(place, LIMITS.documentBytes, "the configuration", "config_unreadable");
  const known = parseTargetConfig(bytes, path);
  const placed = (env: string, config: TargetConfig): Named => {
    const from = `${env} in ${quoted(path)}`;
    if (config.token_file === undefined) return { env, config, from };
    const file = resolve(dirname(place), config.token_file);
    return { env, config: { ...config, token_file: file }, from };
  };
  const twice = flags.env.find((env, index) => flags.env.indexOf(env) !== index);
  if (twice !== undefined) throw new Failure("flag_repeated", `--env names ${quoted(twice)} twice`);
  if (flags.all) return [...known].map(([env, config]) => placed(env, config));
  return flags.env.map((env) => {
    const config = known.get(env);
    if (config !== undefined) return placed(env, config);
    const names = [...known.keys()];
    const meant = meantName(env, names, nearest(env, names));
    throw new Failure(
      "invalid_value",
      `--env ${quoted(env)} is not in the configuration; it has ${names.join(", ")}`,
      { hint: meant === null ? "name one of these" : `did you mean --env ${meant}?` },
    );
  });
}

const SEED_HOST = "$CP_HOST";
const SEED_TOKEN = "CP_ADMIN_API_TOKEN";

/** The variables of the script that this replaces: a bare host and one token. */
function seedTarget(world: World): Named[] {
  const host = world.env["CP_HOST"]?.trim();
  if (host === undefined || host === "") return [];
  const url = /^https?:\/\//iu.test(host) ? host.replace(/\/+$/u, "") : `https://${host}`;
  if (url === host || url !== `https://${host}`) world.say.warn("CP_HOST is a URL; the host alone is wanted");
  // The script takes any text here and only prints it.
  const env = printable(world.env["ENV_NAME"] ?? "", 64);
  const config = { url, token_env: SEED_TOKEN };
  return [{ env: env === "" ? "default" : env, config, from: SEED_HOST }];
}

type Sources = { readonly env: ReadonlyMap<string, string>; readonly file: ReadonlyMap<string, string> };

function tokenSource(env: string, config: TargetConfig, sources: Sources, world: World): SecretSource {
  const [variable, file] = [sources.env.get(env), sources.file.get(env)];
  if (variable !== undefined && file !== undefined) {
    throw new Failure("flags_contradict", `${env} has both --token-env and --token-file`, {
      hint: "give one",
    });
  }
  if (variable !== undefined) return { variable };
  if (file !== undefined) return { file: paths().resolve(world.cwd, file) };
  if (config.token_env !== undefined) return { variable: config.token_env };
  if (config.token_file !== undefined) return { file: config.token_file };
  return { variable: `WAYBILL_TOKEN_${env.toUpperCase().replaceAll("-", "_")}` };
}

function credential(asked: SecretSource, env: string, world: World, problems: Failure[]): Credential | null {
  try {
    const [source, variables] = underItsName(asked, world);
    const value = readSecret(source, variables, `token of ${env}`);
    world.secrets.register(value);
    world.say.mask(value);
    // A file ends with a line break by custom; a variable that does was filled from one, and may hold more.
    if ("variable" in source && value !== variables[source.variable])
      world.say.warn(`$${source.variable} has white space around the token of ${env}; it was left out`);
    return { name: "variable" in source ? `$${source.variable}` : quoted(source.file), value };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(error);
    return null;
  }
}

/** The script's one token is a secret under another name in the CI system; users look for that name. */
function underItsName(source: SecretSource, world: World): [SecretSource, World["env"]] {
  const name = world.env["TOKEN_SECRET_NAME"] ?? "";
  if (!("variable" in source) || source.variable !== SEED_TOKEN || !VARIABLE_NAME.test(name))
    return [source, world.env];
  return [{ variable: name }, { ...world.env, [name]: world.env[SEED_TOKEN] }];
}

/** `NAME=VARIABLE` flags by name. */
function variables(texts: readonly string[], flag: string): Map<string, string> {
  const found = pairs(texts, flag);
  for (const [name, variable] of found) {
    // Not quoted: somebody may have passed the token itself.
    if (!VARIABLE_NAME.test(variable)) {
      throw new Failure("invalid_value", `${flag} for ${name} is no name of a variable`, {
        hint: "pass the variable's name, without $; the token itself has no place on a command line",
      });
    }
  }
  return found;
}

/** `NAME=VALUE` flags by name. */
function pairs(texts: readonly string[], flag: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const cut = text.indexOf("=");
    const name = text.slice(0, Math.max(cut, 0));
    if (!isEnvironmentName(name) || cut === text.length - 1) {
      // What stands without a "=" is not shown either: it may be a token, or a URL with a password.
      const found = cut === -1 ? 'has no "="' : `is ${quoted(`${name}=…`)}`;
      throw new Failure("invalid_value", `${flag} ${found}; wanted NAME=VALUE`, {
        hint: "NAME is an environment: lower-case letters, digits and dashes",
      });
    }
    if (found.has(name)) throw new Failure("flag_repeated", `${flag} names ${name} twice`);
    found.set(name, text.slice(cut + 1));
  }
  return found;
}

function refuseStrangers(given: ReadonlyMap<string, string>, known: readonly Named[]): void {
  for (const name of given.keys()) {
    if (known.some(({ env }) => env === name)) continue;
    throw new Failure(
      "invalid_value",
      `a token is given for ${quoted(name)}, which is not an environment of this run`,
      { hint: `the environments are ${known.map(({ env }) => env).join(", ")}` },
    );
  }
}
