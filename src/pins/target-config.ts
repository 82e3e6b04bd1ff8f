import { boolean, decode, object, optional, record, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import { isEnvironmentName } from "./target.ts";

/** One environment as a configuration file describes it. */
export type TargetConfig = {
  readonly url: string;
  readonly token_env?: string;
  /** A relative path starts at the folder of the configuration: the current one may belong to a stranger. */
  readonly token_file?: string;
  readonly read_token_env?: string;
  /** The URL may be a link-local address: somebody who reviewed the file meant it. */
  readonly allow_link_local?: boolean;
};

const CONFIG = object(
  {
    environments: record(
      object(
        {
          url: string(),
          token_env: optional(string("the name of a variable")),
          token_file: optional(string("the path of a file")),
          read_token_env: optional(string("the name of a variable")),
          allow_link_local: optional(boolean()),
        },
        "refused",
      ),
    ),
  },
  "refused",
);

/**
 * `{"environments": {"prod": {"url": "https://…", "token_env": "PROD_TOKEN"}}}`. Tokens are named, never written
 * down here. Throws Failure `config_invalid` with every fault.
 */
export function parseTargetConfig(bytes: Uint8Array, path: string): ReadonlyMap<string, TargetConfig> {
  const config = decode(
    CONFIG,
    parseJson(bytes, { what: `the configuration ${quoted(path)}`, code: "config_invalid" }),
  );
  const environments = config.ok ? Object.entries(config.value.environments) : [];
  const problems = config.ok ? environments.flatMap(faultsOf) : config.problems;
  if (config.ok && problems.length === 0) return new Map(environments);
  throw new Failure("config_invalid", `the configuration ${quoted(path)} is wrong: ${problems.join("; ")}`, {
    hint: 'wanted {"environments": {"NAME": {"url": "https://…", "token_env": "VARIABLE"}}}',
  });
}

function faultsOf([name, { token_env, token_file }]: readonly [string, TargetConfig]): string[] {
  const place = `environments[${quoted(name, 60)}]`;
  // The names are in flags, in variables and in every message: the same few characters everywhere.
  const strange = `${place} is no name of an environment; wanted lower-case letters, digits and dashes`;
  const both = `${place} has a token_env and a token_file; wanted one of them`;
  return [
    ...(isEnvironmentName(name) ? [] : [strange]),
    ...(token_env === undefined || token_file === undefined ? [] : [both]),
  ];
}
